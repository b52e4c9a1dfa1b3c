/** Options in which those that have a default are always there. */
export type Filled<Options, Defaults> = Omit<Options, keyof Defaults> & {
  [Key in keyof Defaults & keyof Options]-?: Exclude<Options[Key], undefined>;
};

/**
 * Fills in what options leave open, or hold as `undefined`. Neither argument is changed. (As in glTF-Transform: a
 * module that takes options exports their defaults as `X_DEFAULTS`.)
 */
export function assignDefaults<Options extends object, Defaults extends Partial<Options>>(
  defaults: Defaults,
  options: Options,
): Filled<Options, Defaults> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) } as unknown as Filled<Options, Defaults>;
}
