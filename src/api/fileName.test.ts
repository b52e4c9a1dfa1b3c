import { expect, test } from 'vitest';
import { fileName } from './fileName.js';

test('whatever people call a thing, its file has a name that every system takes', () => {
  for (const [name, file] of [
    ['Blue vase', 'Blue vase.glb'],
    ['花瓶 №1', '花瓶 №1.glb'],
    ['../../etc/passwd', 'etc passwd.glb'],
    ['..', 'model.glb'],
    [' . .hidden. ', 'hidden.glb'],
    ['a\r\nSet-Cookie: b', 'a Set-Cookie b.glb'],
    ['cup \u202eblg.exe', 'cup blg.exe.glb'],
    ['\u2066\u2069', 'model.glb'],
    ['CON', 'CON_.glb'],
    ['nul.tar', 'nul_.tar.glb'],
    ['Console', 'Console.glb'],
    [`${'x'.repeat(79)}🏺`, `${'x'.repeat(79)}.glb`],
    [`${'x'.repeat(79)}. y`, `${'x'.repeat(79)}.glb`],
  ])
    expect(fileName(name, 'glb')).toBe(file);
});
