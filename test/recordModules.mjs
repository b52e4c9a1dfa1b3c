// Preloaded by NODE_OPTIONS: writes the address of every module that is imported to the file that STAND_IN_MODULES
// names.
import { register } from 'node:module';

const hooks = `
  import { appendFileSync } from 'node:fs';
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    appendFileSync(process.env.STAND_IN_MODULES, found.url + '\\n');
    return found;
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
