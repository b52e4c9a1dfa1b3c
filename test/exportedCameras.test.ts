/** Cameras as other programs export them: the same scene in each of their forms reads back with the same cameras. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Capture } from '../src/capture/capture.js';
import { readCapture } from '../src/capture/readCapture.js';
import type { FloatImage } from '../src/core/image.js';
import { cross, dot, type Mat4, type Vec3 } from '../src/core/math.js';
import {
  ELLIPSOID_BOX,
  encode,
  encodeDepth,
  errorOf,
  pinhole,
  put,
  renderEllipsoid,
  ringPoses,
  useFolders,
} from './captureScene.js';
import { zip } from './zip.js';

const folder = useFolders();
const LENS = { ...pinhole(64, 48, 60), cx: 33, cy: 23 };
const POSES = ringPoses(8);

/** Column c of a matrix. */
const column = (m: Mat4, c: number): Vec3 => [m[c * 4], m[c * 4 + 1], m[c * 4 + 2]];
const negative = (v: Vec3): Vec3 => [0 - v[0], 0 - v[1], 0 - v[2]];
const eye = (m: Mat4): Vec3 => column(m, 3);
/** Rows of the rotation from world to a camera with y down and z forwards. */
const cvRows = (m: Mat4): Vec3[] => [column(m, 0), negative(column(m, 1)), negative(column(m, 2))];

async function scene(pictures = 'images', lens = LENS): Promise<string> {
  const root = await folder();
  for (const [i, pose] of POSES.entries()) {
    await put(root, `${pictures}/r_${i}.png`, await encode(renderEllipsoid(lens, pose).color));
  }
  return root;
}

/**
 * Cameras up to one rotation of the world, which is the identity where the format states what is up; lenses exactly.
 */
function expectScene(capture: Capture, format: string, upIsStated: boolean, lens = LENS): void {
  expect([capture.format, capture.views.length, capture.warnings]).toEqual([format, 8, []]);
  const turn = capture.views.map((view, i) => {
    const [x, y] = [column(view.camera.cameraToWorld, 0), column(view.camera.cameraToWorld, 1)];
    const [a, b] = [column(POSES[i], 0), column(POSES[i], 1)];
    // Rotation that takes the true camera's axes to the read one's.
    const to = [x, y, cross(x, y)];
    const from = [a, b, cross(a, b)];
    return [0, 1, 2].map((r) =>
      [0, 1, 2].map((c) => to[0][r] * from[0][c] + to[1][r] * from[1][c] + to[2][r] * from[2][c]),
    );
  });
  capture.views.forEach((view, i) => {
    for (let r = 0; r < 3; r++) {
      for (let c = 0; c < 3; c++) {
        expect(turn[i][r][c], view.name).toBeCloseTo(turn[0][r][c], 5);
        if (upIsStated) expect(turn[i][r][c], view.name).toBeCloseTo(r === c ? 1 : 0, 5);
      }
      expect(eye(view.camera.cameraToWorld)[r]).toBeCloseTo(dot(turn[0][r] as Vec3, eye(POSES[i])), 5);
    }
    expect(view.camera.fx).toBeCloseTo(lens.fx, 4);
    expect(view.camera.fy).toBeCloseTo(lens.fy, 4);
    expect(view.camera.cx).toBeCloseTo(lens.cx, 4);
    expect(view.camera.cy).toBeCloseTo(lens.cy, 4);
  });
  if (!upIsStated) return;
  for (let i = 0; i < 3; i++) {
    const extent = ELLIPSOID_BOX.max[i] - ELLIPSOID_BOX.min[i];
    expect(Math.abs(capture.bounds.max[i] - ELLIPSOID_BOX.max[i]) / extent).toBeLessThan(0.2);
  }
}

const npy = (shape: number[], values: readonly number[]): Buffer => {
  const text = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117, ' ');
  const head = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.from([118, 0]),
    Buffer.from(`${text}\n`),
  ]);
  return Buffer.concat([head, Buffer.from(Float64Array.from(values).buffer)]);
};

const metashape = (
  component: string,
  transform: (pose: Mat4) => number[],
  calibration = '',
): string => `<?xml version="1.0" encoding="UTF-8"?>
<document version="2.0.0">
  <chunk label="Chunk 1" enabled="true">
    <sensors next_id="1">
      <sensor id="0" label="unknown" type="frame">
        <resolution width="64" height="48"/>
        <calibration type="frame" class="initial"><resolution width="64" height="48"/><f>99</f></calibration>
        <calibration type="frame" class="adjusted">
          <resolution width="64" height="48"/><f>60</f><cx>1</cx><cy>-1</cy>${calibration}
        </calibration>
      </sensor>
    </sensors>
    <components next_id="1" active_id="0"><component id="0" label="Component 1">${component}</component></components>
    <cameras next_id="9" next_group_id="1">
      <group id="0" label="ring" type="folder">
      ${POSES.map(
        (pose, i) =>
          `<camera id="${i}" sensor_id="0" component_id="0" ` +
          `label="r_${i}"><transform>${transform(pose).join(' ')}</transform></camera>`,
      ).join('\n')}
      </group>
    </cameras>
  </chunk>
</document>`;

/** Rows of camera-to-world with y down and z forwards. */
const cvCameraToWorld = (m: Mat4): number[] => {
  const [x, y, z] = cvRows(m);
  const e = eye(m);
  return [0, 1, 2].flatMap((r) => [x[r], y[r], z[r], e[r]]).concat(0, 0, 0, 1);
};

describe('Metashape', () => {
  it('XML: sensors, groups, labels without ending', async () => {
    const root = await scene();
    await put(root, 'cameras.xml', metashape('', cvCameraToWorld));
    expectScene(await readCapture(root), 'metashape', false);
  });

  it('a component that is turned, scaled and moved in its chunk', async () => {
    const root = await scene();
    // The component's frame is the chunk's, turned by 90° about z, at half the size and off by (1, 2, 3).
    const component =
      '<transform><rotation>0 -1 0 1 0 0 0 0 1</rotation><translation>1 2 3</translation><scale>2</scale></transform>';
    const inverse = (m: Mat4): number[] => {
      const t = cvCameraToWorld(m);
      const row = (r: number): number[] => t.slice(r * 4, r * 4 + 3);
      const [x, y, z] = [0, 1, 2].map((r) => (t[r * 4 + 3] - [1, 2, 3][r]) / 2);
      const negated = row(0).map((v) => 0 - v);
      return [...row(1), y, ...negated, 0 - x, ...row(2), z, 0, 0, 0, 1];
    };
    await put(root, 'cameras.xml', metashape(component, inverse));
    expectScene(await readCapture(root), 'metashape', false);
  });

  it('sensors that were not calibrated have their nominal focal length; what has no label is no picture', async () => {
    const root = await scene();
    const property = (name: string, value: number): string => `<property name="${name}" value="${value}"/>`;
    const nominal = property('pixel_width', 0.01) + property('pixel_height', 0.01) + property('focal_length', 0.6);
    const xml = metashape('', cvCameraToWorld)
      .replace(/<calibration[\s\S]*<\/calibration>/, nominal)
      .replace('</group>', '<camera id="99" sensor_id="0"/></group>');
    await put(root, 'cameras.xml', xml);
    const { views, warnings } = await readCapture(root);
    expect([views.length, warnings]).toEqual([8, []]);
    expect(views[0].camera).toMatchObject({ fx: 60, fy: 60, cx: 32, cy: 24 });
  });

  it('its lens has P1 and P2 the other way round, and b1', async () => {
    const root = await scene();
    const lens = '<k1>-0.1</k1><k2>0.02</k2><p1>0.003</p1><p2>-0.002</p2><b1>0.5</b1>';
    await put(root, 'cameras.xml', metashape('', cvCameraToWorld, lens));
    const { readMetashape } = await import('../src/capture/formats/metashape/metashape.js');
    const { folderAccess, listFolder } = await import('../src/capture/files/captureFolder.js');
    const stated = await readMetashape({ ...folderAccess(await listFolder(root)), root: '', file: 'cameras.xml' });
    expect(stated.views[0].intrinsics).toMatchObject({ fx: 60.5, fy: 60, k: [-0.1, 0.02, 0, 0], p: [-0.002, 0.003] });
  });
});

/** Every second picture is of a slave: turned by 90° about its axis and moved in its master's frame. */
const SLAVE = { rotation: [0, -1, 0, 1, 0, 0, 0, 0, 1], location: [0.3, -0.2, 0.1] };

/** Camera-to-world (y down, z forwards, rows) of the master that a slave's pose follows from. */
function masterOf(slave: Mat4): number[] {
  const t = cvCameraToWorld(slave);
  const rows = [0, 1, 2].map((r) => t.slice(r * 4, r * 4 + 4));
  const [a, b, c] = [0, 3, 6].map((k) => SLAVE.rotation.slice(k, k + 3));
  // R = S·Qᵀ, c = s − R·l
  const turned = rows.map((row) => [a, b, c].map((q) => q[0] * row[0] + q[1] * row[1] + q[2] * row[2]));
  const l = SLAVE.location;
  return [
    ...turned.flatMap((row, r) => [...row, rows[r][3] - (row[0] * l[0] + row[1] * l[1] + row[2] * l[2])]),
    ...[0, 0, 0, 1],
  ];
}

describe('Metashape’s multi-camera systems', () => {
  const system = (slave: string): string => {
    const cameras = POSES.flatMap((pose, i) =>
      i % 2
        ? [
            `<camera id="${i - 1 + 100}" sensor_id="0" component_id="0" label="master_${i}">` +
              `<transform>${masterOf(pose).join(' ')}</transform></camera>`,
            `<camera id="${i}" sensor_id="1" master_id="${i - 1 + 100}" label="r_${i}"/>`,
          ]
        : `<camera id="${i}" sensor_id="0" component_id="0" label="r_${i}"><transform>${cvCameraToWorld(pose).join(' ')}</transform></camera>`,
    );
    return metashape('', cvCameraToWorld)
      .replace(/<group[\s\S]*<\/group>/, cameras.join('\n'))
      .replace(
        '</sensors>',
        `<sensor id="1" label="slave" type="frame" master_id="0"><resolution width="64" height="48"/>
         <calibration type="frame" class="adjusted"><resolution width="64" height="48"/><f>60</f><cx>1</cx><cy>-1</cy>
         </calibration>${slave}</sensor></sensors>`,
      );
  };

  it('slaves stand where their master and their sensor say', async () => {
    const root = await scene();
    const slave =
      `<rotation locked="true">${SLAVE.rotation.join(' ')}</rotation>` +
      `<location locked="true">${SLAVE.location.join(' ')}</location>`;
    await put(root, 'cameras.xml', system(slave));
    const capture = await readCapture(root);
    // The masters' own pictures are not here.
    expect(capture.warnings.map((w) => w.code)).toEqual(['CAPTURE_FILE_MISSING']);
    capture.warnings.length = 0;
    capture.views.sort((a, b) => (a.name < b.name ? -1 : 1));
    expectScene(capture, 'metashape', false);
  });

  it('slaves of which nothing says where they stand are left out with a word', async () => {
    const root = await scene();
    await put(root, 'cameras.xml', system(''));
    const { views, warnings, leftOut } = await readCapture(root);
    expect([views.length, warnings[0].code]).toEqual([4, 'CAPTURE_VIEWS_UNSOLVED']);
    expect(leftOut?.filter(({ reason }) => reason === 'not-solved').map(({ name }) => name)).toEqual(
      [1, 3, 5, 7].map((i) => `images/r_${i}.png`),
    );
  });
});

describe('RealityCapture', () => {
  it.each([
    ['', ''],
    [', with a line that counts them', '#cameras 8\n'],
  ])('CSV: a camera that looks down, millimetres of film, shares of the longer side%s', async (_, first) => {
    const root = await scene();
    const rows = POSES.map((m, i) => {
      // East, north, up are x, −z, y of the world here.
      const enu = (v: Vec3): Vec3 => [v[0], 0 - v[2], v[1]];
      const [x, y, z] = [column(m, 0), column(m, 1), column(m, 2)].map(enu);
      // R = Rz(−heading)·Rx(pitch)·Ry(roll), with the camera's axes in its columns.
      const pitch = Math.asin(y[2]);
      const heading = Math.atan2(y[0], y[1]);
      const roll = Math.atan2(0 - x[2], z[2]);
      const degrees = [heading, pitch, roll].map((v) => (v * 180) / Math.PI);
      const lens = [(60 / 64) * 36, 1 / 64, -1 / 64];
      return [`r_${i}.png`, ...enu(eye(m)), ...degrees, ...lens, 0, 0, 0, 0, 0, 0].join(',');
    });
    const header = '#name,x,y,alt,heading,pitch,roll,f,px,py,k1,k2,k3,k4,t1,t2';
    await put(root, 'cameras.csv', `${first}${header}\n${rows.join('\n')}\n`);
    expectScene(await readCapture(root), 'realitycapture', true);
  });
});

describe('Meshroom', () => {
  /** A rotation from world to camera column by column, as a row-by-row one from camera to world. */
  const rotation = (m: Mat4): string[] => {
    const rows = cvRows(m);
    return [0, 1, 2].flatMap((c) => rows.map((row) => String(row[c])));
  };

  it.each([
    ['that says so', { isPoseIndependant: 'false' }, true],
    ['of old, whose views share poses', {}, true],
    ['whose place is not known', { isPoseIndependant: 'false' }, false],
  ])('cameras.sfm with a rig %s', async (_, more, known) => {
    const root = await scene();
    const masters = POSES.map((m, i) => (i % 2 ? masterOf(m) : cvCameraToWorld(m)));
    const place = (pose: object, status = 'estimated') => ({ status, pose });
    const here = place({ rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1].map(String), center: ['0', '0', '0'] });
    // Row by row this is the rotation from slave to master.
    const there = place({ rotation: SLAVE.rotation.map(String), center: SLAVE.location.map(String) });
    await put(
      root,
      'cameras.sfm',
      JSON.stringify({
        version: ['1', '2', '6'],
        // Each pose is that of a rig; one of its two pictures is here.
        views: POSES.flatMap((_, i) =>
          [0, 1].map((k) => ({
            viewId: `${2 * i + k}`,
            poseId: `${i}`,
            rigId: '5',
            subPoseId: `${k}`,
            intrinsicId: '7',
            path: k === i % 2 ? `r_${i}.png` : `other_${i}.png`,
            ...more,
          })),
        ),
        intrinsics: [
          {
            intrinsicId: '7',
            width: '64',
            height: '48',
            focalLength: '33.75',
            sensorWidth: '36',
            pixelRatio: '1',
            principalPoint: ['1', '-1'],
            type: 'pinhole',
          },
        ],
        poses: masters.map((t, i) => ({
          poseId: `${i}`,
          pose: {
            transform: {
              rotation: [0, 4, 8].flatMap((r) => t.slice(r, r + 3).map(String)),
              center: [3, 7, 11].map((k) => String(t[k])),
            },
          },
        })),
        rigs: [{ rigId: '5', subPoses: known ? [here, there] : [here, { ...there, status: 'uninitialized' }] }],
      }),
    );
    const capture = await readCapture(root);
    if (!known) {
      expect(capture.views.map((v) => v.name)).toEqual(['r_0', 'r_2', 'r_4', 'r_6']);
      expect(capture.warnings.map((w) => w.code)).toContain('CAPTURE_VIEWS_UNSOLVED');
      return;
    }
    expect(capture.warnings.map((w) => w.code)).toEqual(['CAPTURE_FILE_MISSING']);
    capture.warnings.length = 0;
    expectScene(capture, 'meshroom', false);
  });

  it('states the ratio of pixels, of old that of focal lengths, and takes the principal point by the version', async () => {
    const { readMeshroom } = await import('../src/capture/formats/meshroom/meshroom.js');
    const { folderAccess, listFolder } = await import('../src/capture/files/captureFolder.js');
    const lensOf = async (version: string[], lens: object) => {
      const root = await folder();
      const [rows, center] = [rotation(POSES[0]), eye(POSES[0]).map(String)];
      const sfm = {
        version,
        views: [{ viewId: '1', poseId: '1', intrinsicId: '1', path: 'a.png' }],
        intrinsics: [{ intrinsicId: '1', width: '64', height: '48', type: 'pinhole', ...lens }],
        poses: [{ poseId: '1', pose: { transform: { rotation: rows, center } } }],
      };
      await put(root, 'cameras.sfm', JSON.stringify(sfm));
      const source = { ...folderAccess(await listFolder(root)), root: '', file: 'cameras.sfm' };
      const { fx, fy, cx, cy } = (await readMeshroom(source)).views[0].intrinsics;
      return [fx, fy, cx, cy];
    };
    const millimetres = { focalLength: '18', sensorWidth: '36', pixelRatio: '1.25', principalPoint: ['20', '20'] };
    expect(await lensOf(['1', '2', '6'], millimetres)).toEqual([32, 40, 52, 44]);
    expect(await lensOf(['1', '2', '3'], millimetres)).toEqual([32, 25.6, 52, 44]);
    const pixels = { pxFocalLength: ['32', '40'], principalPoint: ['20', '20'] };
    expect(await lensOf(['1', '2', '0'], pixels)).toEqual([32, 40, 20, 20]);
  });

  it.each([
    [
      'of old',
      ['1', '1', '0'],
      { pxFocalLength: '60', principalPoint: ['33', '23'], type: 'radial3', distortionParams: ['0', '0', '0'] },
    ],
    [
      'of now',
      ['1', '2', '6'],
      {
        focalLength: '33.75',
        sensorWidth: '36',
        principalPoint: ['1', '-1'],
        type: 'pinhole',
        distortionType: 'radialk3',
        distortionParams: ['0', '0', '0'],
      },
    ],
  ])('cameras.sfm %s', async (_, version, lens) => {
    const root = await scene();
    await put(
      root,
      'cameras.sfm',
      JSON.stringify({
        version,
        views: POSES.map((_, i) => ({
          viewId: `${i}`,
          poseId: `${i}`,
          intrinsicId: '7',
          path: `/home/me/shoot/r_${i}.png`,
        })),
        intrinsics: [{ intrinsicId: '7', width: '64', height: '48', ...lens }],
        poses: POSES.map((m, i) => ({
          poseId: `${i}`,
          pose: { transform: { rotation: rotation(m), center: eye(m).map(String) } },
        })),
      }),
    );
    expectScene(await readCapture(root), 'meshroom', false);
  });
});

describe('OpenMVG', () => {
  it('sfm_data.json, with a picture that was not solved', async () => {
    const root = await scene();
    const value = (data: object) => ({ polymorphic_id: 1, ptr_wrapper: { id: 2, data } });
    await put(
      root,
      'sfm_data.json',
      JSON.stringify({
        sfm_data_version: '0.3',
        root_path: '/home/me/images',
        views: [...POSES, undefined].map((_, i) => ({
          key: i,
          value: value({
            local_path: '',
            filename: `r_${i}.png`,
            width: 64,
            height: 48,
            id_view: i,
            id_intrinsic: 0,
            id_pose: i,
          }),
        })),
        intrinsics: [
          {
            key: 0,
            value: value({ width: 64, height: 48, focal_length: 60, principal_point: [33, 23], disto_k3: [0, 0, 0] }),
          },
        ],
        extrinsics: POSES.map((m, i) => ({ key: i, value: { rotation: cvRows(m), center: eye(m) } })),
      }),
    );
    const capture = await readCapture(root);
    expect(capture.warnings.map((w) => w.code)).toEqual(['CAPTURE_VIEWS_UNSOLVED']);
    capture.warnings.length = 0;
    expectScene(capture, 'openmvg', false);
  });
});

describe('Bundler', () => {
  it('bundle.out with its list, axes as in OpenGL', async () => {
    const centred = pinhole(64, 48, 60);
    const root = await scene('images', centred);
    const cameras = POSES.map((m) => {
      const rows = [column(m, 0), column(m, 1), column(m, 2)];
      return [`60 0 0`, ...rows.map((row) => row.join(' ')), rows.map((row) => 0 - dot(row, eye(m))).join(' ')].join(
        '\n',
      );
    });
    await put(root, 'bundle/bundle.out', `# Bundle file v0.3\n8 0\n${cameras.join('\n')}\n`);
    await put(root, 'list.txt', POSES.map((_, i) => `images/r_${i}.png 0 60.0`).join('\n'));
    expectScene(await readCapture(root), 'bundler', false, centred);
  });
});

describe('Polycam', () => {
  it('raw: a JSON per keyframe, with depth in millimetres', async () => {
    const root = await scene('keyframes/images');
    for (const [i, m] of POSES.entries()) {
      const t = Object.fromEntries([0, 1, 2].flatMap((r) => [0, 1, 2, 3].map((c) => [`t_${r}${c}`, m[c * 4 + r]])));
      await put(
        root,
        `keyframes/cameras/r_${i}.json`,
        JSON.stringify({ fx: 60, fy: 60, cx: 33, cy: 23, ...(i % 2 ? { width: 64, height: 48 } : {}), ...t }),
      );
      await put(root, `keyframes/depth/r_${i}.png`, await encodeDepth(renderEllipsoid(LENS, m).depth, 0.001));
    }
    // Newer versions leave the size of corrected cameras out.
    await put(root, 'polycam.mp4', 'x');
    await put(root, 'mesh_info.json', '{}');
    const capture = await readCapture(root);
    expectScene(capture, 'polycam', true);
    const truth = renderEllipsoid(LENS, POSES[5]).depth.data;
    const depth = await capture.views[5].depth?.load();
    expect(Math.max(...truth.map((v, k) => Math.abs(v - (depth?.data[k] ?? 9))))).toBeLessThan(0.0006);
  });
});

/** Quaternion x y z w of a rotation with axes in columns, where w is not small. */
function quaternion(m: Mat4): number[] {
  const [x, y, z] = [column(m, 0), column(m, 1), column(m, 2)];
  // Any rotation has a turn about a random axis with w away from zero; poses of the ring are taken as they are.
  const t = 1 + x[0] + y[1] + z[2];
  if (t > 1e-3) {
    const s = 2 * Math.sqrt(t);
    return [(y[2] - z[1]) / s, (z[0] - x[2]) / s, (x[1] - y[0]) / s, s / 4];
  }
  const s = 2 * Math.sqrt(1 - x[0] + y[1] - z[2]);
  return [(y[0] + x[1]) / s, s / 4, (z[1] + y[2]) / s, (z[0] - x[2]) / s];
}

describe('Record3D', () => {
  it('metadata with K column by column, and with intrinsics per frame', async () => {
    for (const lens of [
      { K: [60, 0, 0, 0, 60, 0, 33, 23, 1] },
      { perFrameIntrinsicCoeffs: POSES.map(() => [60, 60, 33, 23]) },
    ]) {
      const root = await scene('rgb');
      for (const i of POSES.keys()) await rename(join(root, `rgb/r_${i}.png`), join(root, `rgb/${i}.png`));
      await put(
        root,
        'metadata',
        JSON.stringify({ w: 64, h: 48, fps: 60, ...lens, poses: POSES.map((m) => [...quaternion(m), ...eye(m)]) }),
      );
      expectScene(await readCapture(root), 'record3d', true);
    }
  });
});

/** An uncompressed OpenEXR file of one 32-bit channel. */
function exr({ width, height, data }: FloatImage): Buffer {
  const text = (words: string): Buffer => Buffer.from(`${words}\0`, 'latin1');
  const int = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
  const float = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
  const attribute = (name: string, type: string, value: Buffer): Buffer =>
    Buffer.concat([text(name), text(type), int(value.length), value]);
  const window = int(0, 0, width - 1, height - 1);
  const head = Buffer.concat([
    int(20000630, 2),
    attribute('channels', 'chlist', Buffer.concat([text('R'), int(2, 0, 1, 1), Buffer.from([0])])),
    attribute('compression', 'compression', Buffer.from([0])),
    attribute('dataWindow', 'box2i', window),
    attribute('displayWindow', 'box2i', window),
    attribute('lineOrder', 'lineOrder', Buffer.from([0])),
    attribute('pixelAspectRatio', 'float', float(1)),
    attribute('screenWindowCenter', 'v2f', float(0, 0)),
    attribute('screenWindowWidth', 'float', float(1)),
    Buffer.from([0]),
  ]);
  const block = 8 + 4 * width;
  const offsets = BigUint64Array.from({ length: height }, (_, y) => BigInt(head.length + 8 * height + y * block));
  const lines = Array.from({ length: height }, (_, y) =>
    Buffer.concat([int(y, 4 * width), float(...data.slice(y * width, (y + 1) * width))]),
  );
  return Buffer.concat([head, Buffer.from(offsets.buffer), ...lines]);
}

describe('depth of phones', () => {
  it('is read from EXR files beside Record3D’s pictures, and said not to be read in its own format', async () => {
    const root = await scene('rgb');
    for (const [i, m] of POSES.entries()) {
      await rename(join(root, `rgb/r_${i}.png`), join(root, `rgb/${i}.png`));
      await put(root, `depth/${i}.exr`, exr(renderEllipsoid(LENS, m).depth));
    }
    const poses = POSES.map((m) => [...quaternion(m), ...eye(m)]);
    await put(root, 'metadata.json', JSON.stringify({ w: 64, h: 48, K: [60, 0, 0, 0, 60, 0, 33, 23, 1], poses }));
    const capture = await readCapture(root);
    expectScene(capture, 'record3d', true);
    const truth = renderEllipsoid(LENS, POSES[2]).depth.data;
    const depth = await capture.views[2].depth?.load();
    expect(Math.max(...truth.map((v, k) => Math.abs(v - (depth?.data[k] ?? 9))))).toBeLessThan(1e-6);
    for (const i of POSES.keys()) await rename(join(root, `depth/${i}.exr`), join(root, `rgb/${i}.depth`));
    const without = await readCapture(root);
    expect(without.views.every((view) => view.depth === undefined)).toBe(true);
    expect(without.warnings.map((w) => [w.code, w.message])).toEqual([
      [
        'CAPTURE_DEPTH_UNREAD',
        expect.stringMatching(/^8 depth maps in rgb are of a format that is not read.*0\.depth/),
      ],
    ]);
    expect(without.leftOut?.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(Array(8).fill('depth not-read'));
  });
});

describe('ARKit scanners', () => {
  it('most frames have no picture: those that have are the views; depth as EXR', async () => {
    const root = await scene('scan');
    for (let k = 0; k < 24; k++) {
      const m = POSES[Math.floor(k / 3)];
      const rows = [0, 1, 2, 3].flatMap((r) => [0, 1, 2, 3].map((c) => m[c * 4 + r]));
      const number = String(k).padStart(5, '0');
      const json = { cameraPoseARFrame: rows, intrinsics: [60, 0, 33, 0, 60, 23, 0, 0, 1] };
      await put(root, `scan/frame_${number}.json`, JSON.stringify(json));
      await put(root, `scan/frame_${number}.exr`, exr(renderEllipsoid(LENS, m).depth));
      if (k % 3 === 0) await rename(join(root, `scan/r_${k / 3}.png`), join(root, `scan/frame_${number}.png`));
    }
    const capture = await readCapture(root);
    expect(capture.leftOut?.map(({ reason }) => reason)).toEqual(Array(16).fill('missing'));
    expect(capture.leftOut?.[0].name).toBe('frame_00001');
    expectScene(capture, 'arkit', true);
    expect(capture.views.every((view) => view.depth)).toBe(true);
  });

  it('frame_00000.json beside its picture', async () => {
    const root = await scene('scan');
    for (const [i, m] of POSES.entries()) {
      const rows = [0, 1, 2, 3].flatMap((r) => [0, 1, 2, 3].map((c) => m[c * 4 + r]));
      await put(
        root,
        `scan/frame_0000${i}.json`,
        JSON.stringify({ cameraPoseARFrame: rows, intrinsics: [60, 0, 33, 0, 60, 23, 0, 0, 1], time: i }),
      );
      await rename(join(root, `scan/r_${i}.png`), join(root, `scan/frame_0000${i}.png`));
    }
    expectScene(await readCapture(root), 'arkit', true);
  });
});

describe('LLFF', () => {
  it('poses_bounds.npy: axes down, right, backwards', async () => {
    const centred = pinhole(64, 48, 60);
    const root = await scene('images', centred);
    const rows = POSES.flatMap((m) => {
      const [x, y, z, e] = [0, 1, 2, 3].map((c) => column(m, c));
      const hwf = [48, 64, 60];
      return [...[0, 1, 2].flatMap((r) => [0 - y[r], x[r], z[r], e[r], hwf[r]]), 1, 5];
    });
    await put(root, 'poses_bounds.npy', npy([8, 17], rows));
    expectScene(await readCapture(root), 'llff', false, centred);
  });
});

describe('IDR and NeuS', () => {
  it('cameras_sphere.npz: projections of any scale and sign, pictures by their order', async () => {
    const root = await scene('image');
    const entries = POSES.flatMap((m, i) => {
      const rows = cvRows(m);
      const t = rows.map((row) => 0 - dot(row, eye(m)));
      const [a, b, c] = [0, 1, 2].map((r) => [...rows[r], t[r]]);
      const scale = i % 2 ? -0.5 : 3;
      const p = [a.map((v, k) => 60 * v + 33 * c[k]), b.map((v, k) => 60 * v + 23 * c[k]), c, [0, 0, 0, 1]].flat();
      return [
        {
          name: `world_mat_${i}.npy`,
          data: npy(
            [4, 4],
            p.map((v) => v * scale),
          ),
        },
        { name: `scale_mat_${i}.npy`, data: npy([4, 4], [2, 0, 0, 1, 0, 2, 0, 1, 0, 0, 2, 1, 0, 0, 0, 1]) },
      ];
    });
    await put(root, 'cameras_sphere.npz', zip(entries));
    expectScene(await readCapture(root), 'neus', false);
  });
});

describe('exports without cameras', () => {
  it.each([
    [
      'cameras.xml',
      '<?xml version="1.0"?><document version="2.0.0"><chunk><cameras></cameras></chunk></document>',
      'Metashape',
    ],
    ['cameras.csv', '#name,x,y,alt,heading,pitch,roll,f,px,py,k1,k2,k3,k4,t1,t2\n', 'RealityCapture'],
    ['cameras.sfm', '{"version":["1","2","0"],"views":[],"intrinsics":[],"poses":[]}', 'Meshroom'],
    ['sfm_data.json', '{"sfm_data_version":"0.3","views":[],"intrinsics":[],"extrinsics":[]}', 'OpenMVG'],
  ])('%s says that it states none', async (name, text, program) => {
    const root = await scene();
    await put(root, name, text);
    const error = await errorOf(readCapture(root));
    expect([error.code, error.message]).toEqual([
      'CAPTURE_METADATA_INVALID',
      expect.stringMatching(new RegExp(`^${name.replace('.', '\\.')}: it states no cameras.*${program}`)),
    ]);
  });

  it.each([
    ['cameras.xml', '<document><chunk><cameras>', /no XML document/],
    ['cameras.csv', '#name,x,y\na,1,2\n', /no column alt/],
    ['cameras.sfm', '{', /not JSON/],
    ['poses_bounds.npy', 'x', /poses_bounds\.npy/],
    ['cameras_sphere.npz', 'x', /cameras_sphere\.npz/],
    ['bundle.out', '# Bundle file v0.3\n8 0\n1 2', /ends before/],
  ])('%s that is damaged is refused by name', async (name, text, words) => {
    const root = await scene();
    await put(root, name, text);
    const error = await errorOf(readCapture(root));
    expect([error.code, error.message]).toEqual(['CAPTURE_METADATA_INVALID', expect.stringMatching(words)]);
  });
});
