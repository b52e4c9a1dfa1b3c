import type { Camera } from '../../core/camera.js';
import { PlinthError } from '../../core/errors.js';
import { determinant3, dot, type Mat4, type Vec3 } from '../../core/math.js';

const column = (m: Mat4, c: number): Vec3 => [m[c * 4], m[c * 4 + 1], m[c * 4 + 2]];

function refuse(subject: string, found: string, expected: string, remedy: string): never {
  throw new PlinthError('CAPTURE_CAMERA_INVALID', {
    found: `The camera of ${subject} ${found}`,
    expected,
    remedy,
    subject,
  });
}

/**
 * Makes sure that a matrix is a rigid motion and returns it with its rotation made exactly orthonormal (files round to
 * few digits). Throws `CAPTURE_CAMERA_INVALID` naming `subject`.
 */
export function checkRigid(matrix: Mat4, subject: string): Mat4 {
  const remedy =
    'Export camera-to-world matrices without scale, right-handed, with the axes x right, y up, z backwards';
  if (matrix.length !== 16 || matrix.some((v) => !Number.isFinite(v))) {
    refuse(
      subject,
      'has a transform with numbers that are not finite',
      'a 4×4 matrix of finite numbers',
      'Export the cameras again',
    );
  }
  if ([3, 7, 11].some((i) => Math.abs(matrix[i]) > 1e-6) || Math.abs(matrix[15] - 1) > 1e-6) {
    refuse(subject, 'has a transform whose last row is not 0 0 0 1', 'an affine, rigid transform', remedy);
  }
  const [x, y, z] = [column(matrix, 0), column(matrix, 1), column(matrix, 2)];
  const determinant = determinant3(matrix);
  if (determinant < 0)
    refuse(subject, `is left-handed (determinant ${determinant.toFixed(3)})`, 'determinant +1', remedy);
  const lengths = [x, y, z].map((v) => Math.sqrt(dot(v, v)));
  const skew = Math.max(Math.abs(dot(x, y)), Math.abs(dot(y, z)), Math.abs(dot(z, x)));
  if (lengths.some((l) => Math.abs(l - 1) > 0.01) || skew > 0.01) {
    const said = `axis lengths ${lengths.map((l) => l.toFixed(3)).join(', ')}, skew ${skew.toFixed(3)}`;
    refuse(subject, `has a transform that is not rigid (${said})`, 'a rotation and a translation', remedy);
  }
  if (Math.max(...[12, 13, 14].map((i) => Math.abs(matrix[i]))) > 1e9) {
    refuse(
      subject,
      'stands more than 10⁹ units from the origin',
      'a position near the object',
      'Check the unit of the positions',
    );
  }
  return orthonormal(matrix);
}

/** The nearest rotation, by Newton's iteration for the polar decomposition: R ← (R + R⁻ᵀ)/2. */
function orthonormal(matrix: Mat4): Mat4 {
  const m = [...matrix];
  for (let step = 0; step < 6; step++) {
    const d = determinant3(m);
    const cofactor = (c: number, r: number): number => {
      const at = (k: number, i: number): number => m[((c + k) % 3) * 4 + ((r + i) % 3)];
      return (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)) / d;
    };
    const next = [0, 1, 2].map((c) => [0, 1, 2].map((r) => (m[c * 4 + r] + cofactor(c, r)) / 2));
    for (let c = 0; c < 3; c++) for (let r = 0; r < 3; r++) m[c * 4 + r] = next[c][r];
  }
  m[3] = m[7] = m[11] = 0;
  m[15] = 1;
  return m;
}

/** Checks the numbers of an intrinsic calibration. Throws `CAPTURE_CAMERA_INVALID` naming `subject`. */
export function checkIntrinsics(camera: Omit<Camera, 'cameraToWorld'>, subject: string): void {
  const { width, height, fx, fy, cx, cy } = camera;
  const remedy = 'Check camera_angle_x, fl_x, fl_y, cx, cy, w and h (pixels, and radians for angles)';
  if (![width, height, fx, fy, cx, cy].every(Number.isFinite)) {
    refuse(subject, 'has intrinsics that are not finite', 'finite focal lengths and principal point', remedy);
  }
  if (!(width >= 1 && height >= 1)) refuse(subject, `has the size ${width} × ${height}`, 'at least one pixel', remedy);
  const longer = Math.max(width, height);
  for (const [name, focal] of [
    ['fx', fx],
    ['fy', fy],
  ] as const) {
    if (!(focal > 0)) refuse(subject, `has the focal length ${name} = ${focal}`, 'a positive number of pixels', remedy);
    // 0.05: a field of view of 169°; 200: of 0.3°.
    if (focal < 0.05 * longer || focal > 200 * longer) {
      refuse(
        subject,
        `has the focal length ${name} = ${focal} pixels at an image size of ${width} × ${height}`,
        'a focal length of 0.05 to 200 image sizes',
        remedy,
      );
    }
  }
  if (fx / fy > 4 || fy / fx > 4)
    refuse(subject, `has very unequal focal lengths ${fx} and ${fy}`, 'nearly square pixels', remedy);
  if (cx < -width || cx > 2 * width || cy < -height || cy > 2 * height) {
    refuse(
      subject,
      `has its principal point at ${cx}, ${cy}, far outside the ${width} × ${height} image`,
      'a point in or near the image',
      remedy,
    );
  }
}
