/** What the platform gives the engine: in Node by reading a file, in a browser from what was bundled. */
export interface GpuHost {
  /** The text of a shader file, named by the URL that its module makes: `new URL('./name.wgsl', import.meta.url)`. */
  readText(url: URL): string;
}

/** A shader's text with the place that each of its lines comes from. */
export interface ShaderSource {
  code: string;
  /** For line n of `code` (from 1): `lines[n - 1]`. */
  lines: { file: string; line: number }[];
}

/**
 * Reads a WGSL file. A line `// #include "other.wgsl"` is replaced by that file's text (path relative to the including
 * file); a file is included once.
 * @param defines values of lines `const NAME = …;` that the file has, in place of its own
 */
export function loadShader(host: GpuHost, url: URL, defines?: Record<string, number>): string {
  return loadShaderSource(host, url, defines).code;
}

/** As `loadShader`, with the origin of each line. */
export function loadShaderSource(host: GpuHost, url: URL, defines: Record<string, number> = {}): ShaderSource {
  const text: string[] = [];
  const unused = new Set(Object.keys(defines));
  const lines: ShaderSource['lines'] = [];
  expand(host, url, new Set(), (line, file, number) => {
    const name = /^const (\w+) = /.exec(line)?.[1];
    const defined = name !== undefined && unused.delete(name);
    text.push(defined ? `const ${name} = ${defines[name]}u;` : line);
    lines.push({ file, line: number });
  });
  if (unused.size > 0) throw new RangeError(`${placeOf(url)} has no constant ${[...unused].join(', ')}`);
  return { code: text.join('\n'), lines };
}

function expand(
  host: GpuHost,
  url: URL,
  seen: Set<string>,
  emit: (line: string, file: string, number: number) => void,
): void {
  if (seen.has(url.href)) return;
  seen.add(url.href);
  const file = placeOf(url);
  host
    .readText(url)
    .split('\n')
    .forEach((line, i) => {
      const included = /^\/\/ #include "([^"]+)"\s*$/.exec(line);
      if (included) expand(host, new URL(included[1], url), seen, emit);
      else emit(line, file, i + 1);
    });
}

/** How messages name a shader file: the path of a file, else the whole address. */
export function placeOf(url: URL): string {
  return url.protocol === 'file:' ? decodeURIComponent(url.pathname).replace(/^\/(?=[A-Za-z]:)/, '') : url.href;
}

/** Compiles a shader and gives the compiler's errors, each as `file:line:column message`; empty where it is fine. */
export async function shaderErrors(device: GPUDevice, source: ShaderSource, label?: string): Promise<string[]> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code: source.code });
  const [info, error] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()]);
  const errors = info.messages
    .filter((m) => m.type === 'error')
    .map((m) => {
      const place = source.lines[m.lineNum - 1];
      return `${place ? `${place.file}:${place.line}` : label}:${m.linePos} ${m.message}`;
    });
  return errors.length === 0 && error ? [`${source.lines[0]?.file ?? label}: ${error.message}`] : errors;
}
