import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A shader's text with the place that each of its lines comes from. */
export interface ShaderSource {
  code: string;
  /** For line n of `code` (from 1): `lines[n - 1]`. */
  lines: { file: string; line: number }[];
}

/**
 * Reads a WGSL file. A line `// #include "other.wgsl"` is replaced by that file's text (path relative to the including
 * file); a file is included once.
 */
export function loadShader(url: URL): string {
  return loadShaderSource(url).code;
}

/** As `loadShader`, with the origin of each line. */
export function loadShaderSource(url: URL): ShaderSource {
  const text: string[] = [];
  const lines: ShaderSource['lines'] = [];
  expand(url, new Set(), (line, file, number) => {
    text.push(line);
    lines.push({ file, line: number });
  });
  return { code: text.join('\n'), lines };
}

function expand(url: URL, seen: Set<string>, emit: (line: string, file: string, number: number) => void): void {
  const file = fileURLToPath(url);
  if (seen.has(file)) return;
  seen.add(file);
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, i) => {
      const included = /^\/\/ #include "([^"]+)"\s*$/.exec(line);
      if (included) expand(new URL(included[1], url), seen, emit);
      else emit(line, file, i + 1);
    });
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
