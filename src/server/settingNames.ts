/** The environment variable of a setting, by the setting's path: `limits.bodyBytes` → `PLINTH_LIMITS_BODY_BYTES`. */
export const environmentName = (path: string): string =>
  `PLINTH_${path
    .replace(/\./g, '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()}`;

/** Its flag on the command line: `limits.bodyBytes` → `--limits-body-bytes`. */
export const flagName = (path: string): string =>
  `--${path
    .replace(/\./g, '-')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()}`;
