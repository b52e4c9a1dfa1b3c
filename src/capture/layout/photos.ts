/** Fewer photos than these say nothing about where their cameras stood. */
export const FEWEST_PHOTOS = 3;
