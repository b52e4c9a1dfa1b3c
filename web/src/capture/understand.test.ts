import { describe, expect, it } from 'vitest';
import type { NamedFile } from '../../../src/api/client.js';
import { FILE_SETS, type FileSet } from '../../../test/fileLists.js';
import { zip } from '../../../test/zip.js';
import { understand } from './understand.js';

const drop = (files: Record<string, string>): NamedFile[] =>
  Object.entries(files).map(([name, text]) => ({ name, data: new Blob([text]) }));

const LAYOUTS = {
  transforms: 'transforms',
  colmap: 'colmap',
  export: 'export',
  'six-view': 'six-views',
  'unread-pictures': 'unknown',
  pictures: 'pictures',
  'several-transforms': 'unknown',
  nothing: 'unknown',
} as const satisfies Record<FileSet['kind'], string>;

const SIX = ['front', 'back', 'left', 'right', 'top', 'bottom'];

describe('understand', () => {
  it.each(FILE_SETS)('says of $name what the reader says', async ({ files, kind }) => {
    const facts = await understand(drop(files));
    expect(facts.layout).toBe(LAYOUTS[kind]);
    // What the service takes may be sent, what it refuses may not. Of three photos on it finds the cameras.
    const enough = kind === 'pictures' && Object.keys(files).length >= 3;
    const taken = enough || kind === 'transforms' || kind === 'colmap' || kind === 'export' || kind === 'six-view';
    expect([facts.complete, facts.findings.filter((f) => f.severity === 'missing')]).toEqual(
      taken ? [true, []] : [false, [expect.anything()]],
    );
    expect(facts.views.every((v) => v.picture)).toBe(true);
  });

  it('looks into a zip as into a folder', async () => {
    const { files } = FILE_SETS[2];
    const bytes = zip(Object.entries(files).map(([name, text]) => ({ name, data: Buffer.from(text) })));
    const facts = await understand([{ name: 'cup 1.zip', data: new Blob([new Uint8Array(bytes)]) }]);
    expect(facts).toMatchObject({ layout: 'transforms', name: 'cup 1', complete: true });
    const broken = await understand([{ name: 'cup.zip', data: new Blob(['PK']) }]);
    expect(broken).toMatchObject({ complete: false, layout: 'unknown', name: 'cup' });
  });

  it('takes six loose views with masks and depth, and says in the words of the service which is missing', async () => {
    const files = Object.fromEntries(
      SIX.flatMap((side) => [side, `masks/${side}`, `depth_renders/${side}`]).map((n) => [`${n}.png`, '']),
    );
    const facts = await understand(drop(files));
    expect(facts).toMatchObject({ layout: 'six-views', cameras: 'assumed', masks: 'files', complete: true });
    expect(facts.views.map((v) => [v.name, v.mask?.name, v.depth?.name, v.camera !== undefined])).toEqual(
      SIX.map((side) => [side, `masks/${side}.png`, `depth_renders/${side}.png`, true]),
    );
    delete files['left.png'];
    const { findings, complete } = await understand(drop(files));
    expect([complete, findings[0].message]).toEqual([false, 'The view left is missing.']);
  });

  it('tells pictures that are not there, and finds masks and depth by the rules of the reader', async () => {
    const frame = (file_path: string, more = {}) => ({
      file_path,
      transform_matrix: [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 2],
      ],
      ...more,
    });
    const frames = [
      frame('images\\a.png', { depth_file_path: './depth/a.png' }),
      frame('./images/b', { mask_path: 'm/b.png' }),
      frame('images/gone.png'),
    ];
    const facts = await understand(
      drop({
        'transforms.json': `\ufeff${JSON.stringify({ fl_x: 50, w: 100, frames })}`,
        'images/a.png': '',
        'images/b.jpg': '',
        'depth/a.png': '',
        'm/b.png': '',
        'masks/a.png.png': '',
      }),
    );
    expect(facts.views.map((v) => [v.picture?.name, v.depth?.name, v.mask?.name])).toEqual([
      ['images/a.png', 'depth/a.png', 'masks/a.png.png'],
      ['images/b.jpg', undefined, 'm/b.png'],
      [undefined, undefined, undefined],
    ]);
    expect(facts.views[0].camera?.angle).toBeCloseTo(Math.PI / 2, 9);
    expect(facts.findings[0].message).toBe('1 of 3 pictures are not there: images/gone.png.');
    expect(facts.complete).toBe(false);
  });

  it('tells what will be left out and why, by the rules of the reader', async () => {
    const pose = (x: number) => [
      [1, 0, 0, x],
      [0, 1, 0, 0],
      [0, 0, 1, 2],
    ];
    const names = ['a', 'b', 'c', 'd', 'gone', 'a'];
    const frames = names.map((n, i) => ({ file_path: `images/${n}.png`, transform_matrix: pose(i % 5) }));
    const facts = await understand(
      drop({
        'transforms_train.json': JSON.stringify({ camera_angle_x: 0.7, frames }),
        'transforms_test.json': JSON.stringify({ camera_angle_x: 0.7, frames: [] }),
        'transforms_val.json': '{}',
        ...Object.fromEntries(['a', 'b', 'c', 'd', 'extra'].map((n) => [`images/${n}.png`, ''])),
        'images/other.heic': '',
        'masks/a.png': '',
        'masks/e.png': '',
        'stereo/depth_maps/a.png.geometric.bin': '',
      }),
    );
    expect(facts.complete).toBe(true);
    expect(facts.views.map((v) => v.name)).toEqual(['a', 'b', 'c', 'd'].map((n) => `images/${n}.png`));
    expect(facts.leftOut.map(({ kind, name, reason }) => `${kind} ${name}: ${reason}`)).toEqual([
      'picture images/gone.png: missing',
      'cameras transforms_val.json: other-cameras',
      'picture images/a.png: twice',
      'picture images/extra.png: no-camera',
      'picture images/other.heic: no-camera',
      'mask masks/e.png: no-picture',
      'depth stereo/depth_maps/a.png.geometric.bin: not-read',
    ]);
    expect(facts.leftOut[0].camera?.pose[3]).toBe(4);
    expect(facts.leftOut[3].picture?.name).toBe('images/extra.png');
  });

  it('does not draw what it cannot read', async () => {
    const says = async (text: string) =>
      (await understand(drop({ 'transforms.json': text, 'a.png': '' }))).findings[0].message;
    expect(await says('{"frames": [')).toMatch(/no valid JSON/);
    expect(await says('null')).toMatch(/no frames/);
    expect(await says('{"frames":[{"file_path":"a.png","transform_matrix":[[1,2],[3]]}]}')).toMatch(
      /1 frames have no 4×4/,
    );
    expect(await says('{"frames":[{"file_path":"../z.png"}]}')).toMatch(/leads out of the capture/);
    const cut = { 'sparse/0/cameras.bin': 'x', 'sparse/0/images.bin': 'x', 'images/a.png': '' };
    expect((await understand(drop(cut))).findings[0].message).toMatch(/cameras\.bin/);
  });
});
