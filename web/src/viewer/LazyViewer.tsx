import { Component, lazy, type ReactNode, Suspense } from 'react';
import { Notice } from '../ui/parts.js';
import type { ViewerProps } from './Viewer.js';

const Viewer = lazy(() => import('./Viewer.js'));

/** The viewer, fetched when the first model is shown. */
export function LazyViewer(props: ViewerProps) {
  return (
    <Guard>
      <Suspense
        fallback={
          <div className="viewer">
            <div className="canvas">
              <p className="over">Loading the viewer…</p>
            </div>
          </div>
        }
      >
        <Viewer {...props} />
      </Suspense>
    </Guard>
  );
}

/** Keeps the rest of the page when the viewer cannot be fetched or fails. */
class Guard extends Component<{ children: ReactNode }, { failed?: Error }> {
  override state: { failed?: Error } = {};
  static getDerivedStateFromError(failed: Error): { failed: Error } {
    return { failed };
  }
  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Notice tone="bad">
        <p>The viewer failed: {this.state.failed.message}. The files themselves are unharmed.</p>
      </Notice>
    );
  }
}
