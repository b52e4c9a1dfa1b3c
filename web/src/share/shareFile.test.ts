import { expect, test } from 'vitest';
import { shareFile } from './shareFile.js';

test('whatever a model is called, its page holds that as words alone', async () => {
  const hostile = `</title></script><script>alert(1)</script><!--<script>"'&\u2028 ]]>`;
  const camera = { name: hostile, width: 4, height: 3 } as never;
  const html = await shareFile({
    name: hostile,
    camera,
    title: hostile,
    text: hostile,
    glb: new Uint8Array([1, 2, 3]).buffer,
    photograph: new Blob(['x'], { type: 'image/"onerror="alert(1)' }),
    script: 'const a="</script><b>", b="</SCRIPT>";',
  });
  // The four of the page itself, each with its end.
  expect(html.match(/<script/gi)).toHaveLength(4);
  expect(html.match(/<\/script/gi)).toHaveLength(4);
  expect(html).not.toContain('<!--');
  expect(html).not.toMatch(/onerror="/);
  const [, facts] = /id="facts">(.*?)<\/script>/s.exec(html)!;
  expect(JSON.parse(facts)).toMatchObject({ name: hostile });
  // Nothing is fetched from anywhere.
  expect(html).toContain(`content="default-src 'none'; `);
  expect(html).not.toMatch(/\b(src|href)=(?!"data:)/);
});
