import { PlinthError } from '../../core/errors.js';
import type { Batch } from './batch.js';
import type { GpuResources } from './resources.js';
import { loadShaderSource, placeOf, shaderErrors } from './shader.js';

/** How a kernel uses a binding. Binding numbers follow the order of the `bindings` object; all are in group 0. */
export type BindingKind =
  | 'uniform'
  | 'read'
  | 'read_write'
  | 'texture'
  | 'texture-uint'
  | 'texture-unfilterable'
  | 'texture-cube'
  | 'texture-array'
  | 'sampler';

export type UniformType =
  | 'u32'
  | 'i32'
  | 'f32'
  | 'vec2f'
  | 'vec2u'
  | 'vec3f'
  | 'vec4f'
  | 'vec3u'
  | 'vec3i'
  | 'vec4u'
  | 'mat4x4f';
export type UniformFields = Record<string, UniformType>;
type UniformValue<T extends UniformType> = T extends 'u32' | 'i32' | 'f32' ? number : readonly number[] | Float32Array;
export type UniformValues<F extends UniformFields> = { [K in keyof F]: UniformValue<F[K]> };

export interface KernelDefinition<B extends Record<string, BindingKind>, U extends UniformFields> {
  /** For messages and labels. */
  name: string;
  /** The WGSL file: `new URL('../name.wgsl', import.meta.url)`. */
  shader: URL;
  /** Default `main`. */
  entryPoint?: string;
  /** Bindings in the order of their numbers. */
  bindings: B;
  /** Fields of the uniform struct in order. The block is the binding of kind `uniform`. */
  uniforms?: U;
  /** Values of `override` constants. */
  constants?: Record<string, number>;
  /** Values in place of those that the file's own lines `const NAME = …;` give, where an `override` cannot stand. */
  defines?: Record<string, number>;
}

/** What is bound: a buffer, a part of one, a texture view or a sampler. */
export type Bindable = GPUBuffer | GPUBufferBinding | GPUTextureView | GPUSampler;
export type KernelArguments<B extends Record<string, BindingKind>> = {
  [K in keyof B as B[K] extends 'uniform' ? never : K]: Bindable;
};

const SIZES: Record<UniformType, { size: number; align: number; words: number }> = {
  u32: { size: 4, align: 4, words: 1 },
  i32: { size: 4, align: 4, words: 1 },
  f32: { size: 4, align: 4, words: 1 },
  vec2f: { size: 8, align: 8, words: 2 },
  vec2u: { size: 8, align: 8, words: 2 },
  vec3f: { size: 12, align: 16, words: 3 },
  vec4f: { size: 16, align: 16, words: 4 },
  vec3u: { size: 12, align: 16, words: 3 },
  vec3i: { size: 12, align: 16, words: 3 },
  vec4u: { size: 16, align: 16, words: 4 },
  mat4x4f: { size: 64, align: 16, words: 16 },
};

/** Packs values by WGSL's uniform layout rules. */
export function packUniforms<F extends UniformFields>(fields: F, values: UniformValues<F>): ArrayBuffer {
  let offset = 0;
  const places: { name: keyof F; type: UniformType; offset: number }[] = [];
  for (const name in fields) {
    const { size, align } = SIZES[fields[name]];
    offset = Math.ceil(offset / align) * align;
    places.push({ name, type: fields[name], offset });
    offset += size;
  }
  const block = new ArrayBuffer(Math.max(16, Math.ceil(offset / 16) * 16));
  const view = new DataView(block);
  for (const { name, type, offset: at } of places) {
    const value = values[name] as number | ArrayLike<number>;
    for (let i = 0; i < SIZES[type].words; i++) {
      const x = typeof value === 'number' ? value : value[i];
      if (x === undefined || Number.isNaN(x)) throw new RangeError(`uniform ${String(name)}[${i}] is ${x}`);
      if (type.startsWith('u') || type.endsWith('u') || type === 'u32') view.setUint32(at + i * 4, x, true);
      else if (type === 'i32' || type.endsWith('i')) view.setInt32(at + i * 4, x, true);
      else view.setFloat32(at + i * 4, x, true);
    }
  }
  return block;
}

/** A compute kernel: one entry point of one WGSL file with named, typed bindings. Compiled once per device. */
export class Kernel<B extends Record<string, BindingKind>, U extends UniformFields> {
  readonly definition: KernelDefinition<B, U>;

  constructor(definition: KernelDefinition<B, U>) {
    this.definition = definition;
    kernels.push(this as unknown as Kernel<Record<string, BindingKind>, UniformFields>);
  }

  private pipeline(gpu: GpuResources): { pipeline: GPUComputePipeline; layout: GPUBindGroupLayout } {
    return gpu.cached(this, () => this.build(gpu));
  }

  private build(gpu: GpuResources): { pipeline: GPUComputePipeline; layout: GPUBindGroupLayout } {
    const { name, shader, entryPoint, bindings, constants, defines } = this.definition;
    const layout = gpu.device.createBindGroupLayout({
      label: name,
      entries: Object.values(bindings).map((kind, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        ...layoutOf(kind),
      })),
    });
    const module = gpu.shaderModule(shader, name, defines);
    const pipeline = gpu.device.createComputePipeline({
      label: name,
      layout: gpu.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: entryPoint ?? 'main', constants },
    });
    return { pipeline, layout };
  }

  /**
   * Records one dispatch of `workgroups` (x, y, z). With more than 65,535 in x use `linear()` and the helper in
   * `linear.wgsl`.
   */
  dispatch(
    batch: Batch,
    args: KernelArguments<B>,
    uniforms: UniformValues<U>,
    workgroups: readonly [number, number?, number?],
  ): void {
    if (workgroups.some((n) => n === 0)) return;
    const { pipeline } = this.pipeline(batch.gpu);
    const pass = batch.computePass(this.definition.name);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.bind(batch, args, uniforms));
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }

  /** Records one dispatch whose workgroup counts (3 × u32) are in a buffer created with INDIRECT usage. */
  dispatchIndirect(
    batch: Batch,
    args: KernelArguments<B>,
    uniforms: UniformValues<U>,
    indirect: GPUBuffer,
    offset = 0,
  ): void {
    const { pipeline } = this.pipeline(batch.gpu);
    const pass = batch.computePass(this.definition.name);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.bind(batch, args, uniforms));
    pass.dispatchWorkgroupsIndirect(indirect, offset);
  }

  private bind(batch: Batch, args: KernelArguments<B>, uniforms: UniformValues<U>): GPUBindGroup {
    const { layout } = this.pipeline(batch.gpu);
    const { bindings, uniforms: fields, name } = this.definition;
    const entries = Object.entries(bindings).map(([key, kind], binding) => {
      if (kind === 'uniform') return { binding, resource: batch.uniform(packUniforms(fields ?? ({} as U), uniforms)) };
      const value = (args as Record<string, Bindable>)[key];
      if (!value) throw new TypeError(`kernel ${name}: no argument for binding "${key}"`);
      return { binding, resource: value instanceof GPUBuffer ? { buffer: value } : value };
    });
    return batch.gpu.device.createBindGroup({ label: name, layout, entries });
  }

  /** Compiles and reports the shader compiler's own messages with file and line. Throws `GPU_SHADER_INVALID`. */
  async compile(gpu: GpuResources): Promise<void> {
    const { name, shader, defines } = this.definition;
    const errors = await shaderErrors(gpu.device, loadShaderSource(gpu.host, shader, defines), name);
    if (errors.length === 0) {
      gpu.device.pushErrorScope('validation');
      this.build(gpu);
      const error = await gpu.device.popErrorScope();
      if (!error) return;
      errors.push(`${placeOf(shader)}: ${error.message}`);
    }
    throw new PlinthError('GPU_SHADER_INVALID', { found: `Kernel ${name}: ${errors.join('\n')}` });
  }
}

/** All kernels of the modules imported so far, for the test that compiles each. */
export const kernels: Kernel<Record<string, BindingKind>, UniformFields>[] = [];

export function defineKernel<B extends Record<string, BindingKind>, U extends UniformFields = Record<never, never>>(
  definition: KernelDefinition<B, U>,
): Kernel<B, U> {
  return new Kernel(definition);
}

/**
 * Workgroup counts for `count` items at `size` per workgroup, spread over x and y so that x stays below the limit. In
 * WGSL the item is `(workgroup_id.y * num_workgroups.x + workgroup_id.x) * size + local_invocation_index`.
 */
export function linear(count: number, size: number): [number, number] {
  const groups = Math.ceil(count / size);
  if (groups <= 65535) return [groups, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y];
}

function layoutOf(kind: BindingKind): Partial<GPUBindGroupLayoutEntry> {
  switch (kind) {
    case 'uniform':
      return { buffer: { type: 'uniform' } };
    case 'read':
      return { buffer: { type: 'read-only-storage' } };
    case 'read_write':
      return { buffer: { type: 'storage' } };
    case 'texture':
      return { texture: { sampleType: 'float' } };
    case 'texture-uint':
      return { texture: { sampleType: 'uint' } };
    case 'texture-unfilterable':
      return { texture: { sampleType: 'unfilterable-float' } };
    case 'texture-cube':
      return { texture: { sampleType: 'float', viewDimension: 'cube' } };
    case 'texture-array':
      return { texture: { sampleType: 'float', viewDimension: '2d-array' } };
    case 'sampler':
      return { sampler: { type: 'filtering' } };
  }
}
