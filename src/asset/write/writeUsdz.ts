import type { Asset, Material } from '../../core/asset.js';
import { boundsOf } from '../../core/bounds.js';
import type { Vec3 } from '../../core/math.js';
import type { Mesh } from '../../core/mesh.js';
import { VERSION } from '../../core/version.js';
import { encodeTexture, type TextureEncoder } from './encodeTexture.js';
import { formatFloat } from './formatNumber.js';
import { type StoredFile, storedZip } from './storedZip.js';

/**
 * Encodes an asset as USDZ: an uncompressed, aligned package of one text layer and PNG textures, for AR Quick Look,
 * RealityKit and USD tools. Y is up, one scene unit is one metre.
 *
 * UsdPreviewSurface has no unlit mode. A baked-light material therefore sends its texture to `emissiveColor`, with a
 * black `diffuseColor` and an index of refraction of 1, which leaves nothing to reflect: it looks the same under every
 * light, where a diffuse texture would be lit a second time. PBR textures go to their inputs; occlusion, roughness and
 * metallic share one image.
 */
export async function encodeUsdz(asset: Asset, encode: TextureEncoder = encodeTexture): Promise<Uint8Array> {
  const { mesh, material } = asset;
  const textures: StoredFile[] = [
    { name: 'textures/baseColor.png', data: await encode(material.baseColor, 'png', 'color') },
  ];
  if (material.kind === 'pbr') {
    if (material.occlusionRoughnessMetallic)
      textures.push({
        name: 'textures/occlusionRoughnessMetallic.png',
        data: await encode(material.occlusionRoughnessMetallic, 'png', 'data'),
      });
    if (material.normal)
      textures.push({ name: 'textures/normal.png', data: await encode(material.normal, 'png', 'data') });
  }
  const layer = new TextEncoder().encode(buildLayer(mesh, material, asset.origin));
  return storedZip([{ name: 'asset.usda', data: layer }, ...textures]);
}

function buildLayer(mesh: Mesh, material: Material, origin: Vec3 | undefined): string {
  const placed = origin
    ? `    double3 xformOp:translate = (${origin.join(', ')})\n    uniform token[] xformOpOrder = ` +
      `["xformOp:translate"]\n`
    : '';
  return `#usda 1.0
(
    defaultPrim = "Object"
    doc = "Plinth ${VERSION}"
    metersPerUnit = 1
    upAxis = "Y"
)

def Xform "Object" (
    assetInfo = {
        string name = "Object"
    }
    customData = {
        bool plinthBakedLight = ${material.kind === 'baked' ? 'true' : 'false'}
    }
    kind = "component"
)
{
${placed}${buildMesh(mesh)}
${buildMaterial(material)}
}
`;
}

function buildMesh(mesh: Mesh): string {
  const { positions: p, normals, uvs, indices } = mesh;
  const { min, max } = boundsOf(p);
  const tuples = (data: Float32Array, size: number, map = (v: number, _k: number) => v): string => {
    const out: string[] = [];
    for (let i = 0; i < data.length; i += size) {
      const values: string[] = [];
      for (let k = 0; k < size; k++) values.push(formatFloat(map(data[i + k], k)));
      out.push(`(${values.join(', ')})`);
    }
    return `[${out.join(', ')}]`;
  };
  const lines = [
    '    def Mesh "Mesh" (',
    '        prepend apiSchemas = ["MaterialBindingAPI"]',
    '    )',
    '    {',
    '        uniform bool doubleSided = 0',
    `        float3[] extent = [(${min.map(formatFloat).join(', ')}), (${max.map(formatFloat).join(', ')})]`,
    `        int[] faceVertexCounts = [${new Array(indices.length / 3).fill(3).join(', ')}]`,
    `        int[] faceVertexIndices = [${indices.join(', ')}]`,
    '        rel material:binding = </Object/Material>',
    `        point3f[] points = ${tuples(p, 3)}`,
  ];
  if (normals)
    lines.push(
      `        normal3f[] normals = ${tuples(normals, 3)} (`,
      '            interpolation = "vertex"',
      '        )',
    );
  if (uvs)
    lines.push(
      // USD has the origin of textures at the lower left.
      `        texCoord2f[] primvars:st = ${tuples(uvs, 2, (v, k) => (k === 1 ? 1 - v : v))} (`,
      '            interpolation = "vertex"',
      '        )',
    );
  lines.push('        uniform token subdivisionScheme = "none"', '    }');
  return lines.join('\n');
}

function buildMaterial(material: Material): string {
  const shader: string[] = [];
  const textures: string[] = [];
  const texture = (name: string, colorSpace: 'sRGB' | 'raw', outputs: string[], more: string[] = []): void => {
    textures.push(
      `        def Shader "${name}"`,
      '        {',
      '            uniform token info:id = "UsdUVTexture"',
      `            asset inputs:file = @textures/${name}.png@`,
      ...more.map((line) => `            ${line}`),
      `            token inputs:sourceColorSpace = "${colorSpace}"`,
      '            float2 inputs:st.connect = </Object/Material/TextureCoordinates.outputs:result>',
      '            token inputs:wrapS = "clamp"',
      '            token inputs:wrapT = "clamp"',
      ...outputs.map((line) => `            ${line}`),
      '        }',
    );
  };
  const connect = (type: string, input: string, from: string) =>
    shader.push(`            ${type} inputs:${input}.connect = </Object/Material/${from}>`);
  texture('baseColor', 'sRGB', ['float3 outputs:rgb']);
  if (material.kind === 'baked') {
    shader.push('            color3f inputs:diffuseColor = (0, 0, 0)');
    connect('color3f', 'emissiveColor', 'baseColor.outputs:rgb');
    shader.push(
      '            float inputs:ior = 1',
      '            float inputs:metallic = 0',
      '            float inputs:roughness = 1',
    );
  } else {
    connect('color3f', 'diffuseColor', 'baseColor.outputs:rgb');
    if (material.occlusionRoughnessMetallic) {
      texture('occlusionRoughnessMetallic', 'raw', ['float outputs:r', 'float outputs:g', 'float outputs:b']);
      connect('float', 'occlusion', 'occlusionRoughnessMetallic.outputs:r');
      connect('float', 'roughness', 'occlusionRoughnessMetallic.outputs:g');
      connect('float', 'metallic', 'occlusionRoughnessMetallic.outputs:b');
    } else shader.push('            float inputs:metallic = 0', '            float inputs:roughness = 1');
    if (material.normal) {
      texture(
        'normal',
        'raw',
        ['float3 outputs:rgb'],
        ['float4 inputs:bias = (-1, -1, -1, 0)', 'float4 inputs:scale = (2, 2, 2, 1)'],
      );
      connect('normal3f', 'normal', 'normal.outputs:rgb');
    }
  }
  return [
    '    def Material "Material"',
    '    {',
    '        token outputs:surface.connect = </Object/Material/Surface.outputs:surface>',
    '',
    '        def Shader "Surface"',
    '        {',
    '            uniform token info:id = "UsdPreviewSurface"',
    ...shader,
    '            token outputs:surface',
    '        }',
    '        def Shader "TextureCoordinates"',
    '        {',
    '            uniform token info:id = "UsdPrimvarReader_float2"',
    '            string inputs:varname = "st"',
    '            float2 outputs:result',
    '        }',
    ...textures,
    '    }',
  ].join('\n');
}
