import { useEffect, useRef, useState } from 'react';
import { api } from '../../api.js';

/** Lines of the log that are kept on screen. */
const TAIL = 200;
const EVERY_MS = 3_000;

/** The end of a job's log, which follows what is added. */
export function Log({ id, live }: { id: string; live: boolean }) {
  const [lines, setLines] = useState<string[]>([]);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout>;
    let end = 0;
    let text = '';
    const read = async (): Promise<void> => {
      try {
        const part = await api.log(id, end);
        if (gone) return;
        // A log that was begun anew is shorter than what was read.
        text = (end === 0 ? '' : text) + part.text;
        end = part.end;
        setLines(text.trimEnd().split('\n').slice(-TAIL));
      } catch {
        // The next look will tell.
      }
      if (!gone && live) timer = setTimeout(() => void read(), EVERY_MS);
    };
    void read();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, live]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines scroll the box
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  if (lines.length === 0 || lines[0] === '') return null;
  return (
    <section aria-labelledby="log">
      <h2 id="log">Log</h2>
      <div
        className="log"
        ref={box}
        role="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-labelledby="log"
      >
        {lines.map(tidyTime).join('\n')}
      </div>
    </section>
  );
}

/** The time of a line as people read it; the log itself keeps the whole of it. */
const tidyTime = (line: string): string =>
  line.replace(/^(\d{4}-\d\d-\d\dT[\d:.]+Z)/, (time) => new Date(time).toLocaleTimeString());
