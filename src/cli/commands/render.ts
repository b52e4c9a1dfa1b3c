import { type Command, Option } from 'commander';
import type { RenderMode } from '../../render/forward/assetRenderer.js';
import { numberFlag } from '../terminal.js';
import { whenRun } from '../whenRun.js';

const MODES: readonly RenderMode[] = [
  'textured',
  'clay',
  'normals',
  'depth',
  'uv',
  'baseColor',
  'roughness',
  'metallic',
];

export function addRender(program: Command): void {
  program
    .command('render')
    .description('draw an asset (.glb) as PNG, from an orbit or through a camera of a capture')
    .argument('<asset>', 'a GLB file')
    .requiredOption('-o, --output <file>', 'the PNG to write')
    .addOption(new Option('--mode <mode>', 'what to show').choices(MODES).default('textured'))
    .option('--width <pixels>', 'default 1024, or the size of the view', numberFlag('--width'))
    .option('--height <pixels>', 'default: the width', numberFlag('--height'))
    .option('--azimuth <degrees>', '0 looks from the front (+Z), 90 from +X', numberFlag('--azimuth'), 0)
    .option('--elevation <degrees>', 'above the horizon', numberFlag('--elevation'), 18)
    .option('--distance <units>', 'default: shows the whole object', numberFlag('--distance'))
    .option('--fov <degrees>', 'vertical field of view', numberFlag('--fov'), 28)
    .option('--capture <path>', 'take the camera of a view of this capture')
    .option('--view <name>', 'which view; default: the first')
    .option('--background <hex>', 'such as ffffff; default: transparent')
    .option('--supersample <n>', 'samples per pixel along each axis, 1…8', numberFlag('--supersample'), 4)
    .option('--adapter <choice>', 'which adapter (see `plinth doctor`)')
    .action(whenRun(async () => (await import('../actions/render.js')).runRender));
}
