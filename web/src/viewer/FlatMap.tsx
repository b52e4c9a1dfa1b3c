import { useEffect, useRef } from 'react';
import type { ChannelMap } from './materials.js';

/** A texture as it lies in the file; one channel of it as grey. */
export function FlatMap({ map: { texture, index }, title }: { map: ChannelMap; title: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = texture.image as ImageBitmap;
  useEffect(() => {
    const context = canvas.current!.getContext('2d')!;
    context.drawImage(texture.image as ImageBitmap, 0, 0);
    if (index === undefined) return;
    const pixels = context.getImageData(0, 0, width, height);
    const { data } = pixels;
    for (let i = 0; i < data.length; i += 4) data.fill(data[i + index], i, i + 3);
    context.putImageData(pixels, 0, 0);
  }, [texture, index, width, height]);
  return (
    <div className="flat-map">
      <canvas
        ref={canvas}
        width={width}
        height={height}
        role="img"
        aria-label={`Texture of ${title}, ${width} × ${height}`}
      />
    </div>
  );
}
