import { useEffect, useMemo, useRef, useState } from 'react';
import { drawFrusta, type Turn } from './drawFrusta.js';
import type { LeftOutEntry, UnderstoodView } from './understanding.js';

/** Pictures that are decoded for the drawing; cameras beyond stay bare. */
const PICTURES = 64;
/** Width of the decoded pictures, in pixels. */
const PICTURE_WIDTH = 128;

interface FrustaProps {
  views: UnderstoodView[];
  /** Those with a camera are drawn dashed. */
  leftOut: LeftOutEntry[];
  assumed: boolean;
}

/** The cameras in space as pyramids, each with its picture at its end; turns by dragging or with the arrow keys. */
export function Frusta({ views, leftOut, assumed }: FrustaProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [turn, setTurn] = useState<Turn>({ around: 0.7, up: 0.42 });
  const drag = useRef<{ x: number; y: number } | undefined>(undefined);
  const posed = useMemo(() => views.filter((v) => v.camera), [views]);
  const absent = useMemo(() => leftOut.flatMap(({ camera }) => camera ?? []), [leftOut]);
  const pictures = usePictures(posed);

  useEffect(() => {
    const element = canvas.current!;
    const paint = (): void => drawFrusta(element, posed, absent, pictures, turn);
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', paint);
    return () => {
      observer.disconnect();
      scheme.removeEventListener('change', paint);
    };
  }, [posed, absent, pictures, turn]);

  const by = (around: number, up: number): void =>
    setTurn((t) => ({ around: t.around + around, up: Math.min(1.5, Math.max(-1.5, t.up + up)) }));
  const words = `${posed.length} cameras around the object${assumed ? ', placed as six views usually are' : ''}`;
  const tests = posed.some((v) => v.test);
  return (
    <figure className="frusta">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label={`${words}. Arrow keys turn the drawing.`}
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          drag.current = { x: e.clientX, y: e.clientY };
        }}
        onPointerMove={(e) => {
          if (!drag.current) return;
          by((drag.current.x - e.clientX) * 0.01, (e.clientY - drag.current.y) * 0.01);
          drag.current = { x: e.clientX, y: e.clientY };
        }}
        onPointerUp={() => {
          drag.current = undefined;
        }}
        onKeyDown={(e) => {
          const step = { ArrowLeft: [0.15, 0], ArrowRight: [-0.15, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[e.key];
          if (!step) return;
          e.preventDefault();
          by(step[0], step[1]);
        }}
      />
      <figcaption className="quiet small">
        {words}.{tests && ' Orange ones are for testing only.'}
        {absent.length > 0 && ` Dashed ones are left out (${absent.length}).`} Drag to turn.
      </figcaption>
    </figure>
  );
}

/** Small copies of the pictures, as they get decoded. */
function usePictures(views: UnderstoodView[]): Map<UnderstoodView, ImageBitmap> {
  const [pictures, setPictures] = useState(new Map<UnderstoodView, ImageBitmap>());
  useEffect(() => {
    let gone = false;
    const made = new Map<UnderstoodView, ImageBitmap>();
    const decode = async (): Promise<void> => {
      for (const view of views.slice(0, PICTURES)) {
        if (gone) return;
        try {
          const blob = await view.picture?.blob();
          if (blob)
            made.set(view, await createImageBitmap(blob, { resizeWidth: PICTURE_WIDTH, resizeQuality: 'medium' }));
        } catch {
          // A format that the browser does not read, such as TIFF: the camera is drawn without it.
        }
        if (!gone) setPictures(new Map(made));
      }
    };
    void decode();
    return () => {
      gone = true;
      for (const picture of made.values()) picture.close();
    };
  }, [views]);
  return pictures;
}
