import { ASSET_FORMATS } from './asset.js';

/**
 * What a result is made of: the asset by format; `previews`: pictures and turntable; `report`: every picture rendered
 * again from `asset.glb` and compared (`assessment/`), `quality.json` and `report.html`.
 */
export const RESULT_PARTS = [...ASSET_FORMATS, 'previews', 'report'] as const;
/** One of the parts. */
export type ResultPart = (typeof RESULT_PARTS)[number];
