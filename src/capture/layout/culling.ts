/**
 * Pictures below which what is left of a culled capture is not worth a try, and below which half of all have to be
 * there.
 */
const FEW = 3;
const MANY = 8;

/** Whether so few of the pictures that metadata name are there that something is wrong, and not only some culled. */
export const isFew = (left: number, named: number): boolean => left < FEW || (left < MANY && left * 2 < named);
