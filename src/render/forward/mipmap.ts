import type { ColorImage } from '../../core/image.js';
import type { Gpu } from '../../gpu/runtime/gpu.js';

/** Number of levels down to 1×1. */
export const mipLevels = (width: number, height: number): number => 1 + Math.floor(Math.log2(Math.max(width, height)));

/**
 * Fills all mip levels of a 2-D texture or texture array from level 0, by 2×2 averages. Formats that end in `-srgb` are
 * averaged in linear light, because fetch and store convert. The texture needs RENDER_ATTACHMENT and TEXTURE_BINDING
 * usage.
 */
export function generateMipmaps(gpu: Gpu, texture: GPUTexture, firstLayer = 0, layers = 1): void {
  const { device } = gpu;
  const { pipeline, sampler } = gpu.cached(`mipmap ${texture.format}`, () => {
    const module = gpu.shaderModule(new URL('./mipmap.wgsl', import.meta.url), 'mipmap');
    return {
      pipeline: device.createRenderPipeline({
        label: 'mipmap',
        layout: 'auto',
        vertex: { module, entryPoint: 'vertex' },
        fragment: { module, entryPoint: 'fragment', targets: [{ format: texture.format }] },
      }),
      sampler: device.createSampler({ magFilter: 'linear', minFilter: 'linear' }),
    };
  });
  const batch = gpu.batch('mipmap');
  for (let layer = firstLayer; layer < firstLayer + layers; layer++) {
    const view = (level: number) =>
      texture.createView({
        dimension: '2d',
        baseArrayLayer: layer,
        arrayLayerCount: 1,
        baseMipLevel: level,
        mipLevelCount: 1,
      });
    for (let level = 1; level < texture.mipLevelCount; level++) {
      const pass = batch.renderPass('mipmap', {
        colorAttachments: [{ view: view(level), loadOp: 'clear', storeOp: 'store' }],
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [
            { binding: 0, resource: view(level - 1) },
            { binding: 1, resource: sampler },
          ],
        }),
      );
      pass.draw(3);
      pass.end();
    }
  }
  batch.submit();
}

/** An 8-bit texture with all mip levels; `srgb` for colours, linear for data. */
export function uploadTexture(gpu: Gpu, image: ColorImage, srgb: boolean, label: string): GPUTexture {
  const { width, height, data } = image;
  const texture = gpu.device.createTexture({
    label,
    size: [width, height],
    format: srgb ? 'rgba8unorm-srgb' : 'rgba8unorm',
    mipLevelCount: mipLevels(width, height),
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
  });
  gpu.device.queue.writeTexture(
    { texture },
    data as Uint8Array<ArrayBuffer>,
    { bytesPerRow: width * 4, rowsPerImage: height },
    [width, height],
  );
  generateMipmaps(gpu, texture);
  return texture;
}
