import {
  Color,
  FrontSide,
  type Material,
  MeshBasicMaterial,
  MeshNormalMaterial,
  MeshStandardMaterial,
  ShaderMaterial,
  type Texture,
} from 'three';

/** What can be shown of a model: itself, its form alone, and each map of its material. */
export const CHANNELS = [
  'finished',
  'clay',
  'baseColor',
  'roughness',
  'metallic',
  'occlusion',
  'relief',
  'normals',
  'uv',
] as const;
export type Channel = (typeof CHANNELS)[number];

/** A map of the material that a channel shows, and which part of it: all three channels, or one as grey. */
export interface ChannelMap {
  texture: Texture;
  /** 0 red, 1 green, 2 blue; absent: all of them. */
  index?: number;
}

/** The map behind a channel; undefined where there is none. */
export function mapOf(material: Material, channel: Channel): ChannelMap | undefined {
  const { map, roughnessMap, metalnessMap, aoMap, normalMap } = material as Partial<MeshStandardMaterial>;
  const of = (texture: Texture | null | undefined, index?: number): ChannelMap | undefined =>
    texture ? { texture, index } : undefined;
  switch (channel) {
    case 'finished':
    case 'baseColor':
      return of(map);
    case 'roughness':
      return of(roughnessMap, 1);
    case 'metallic':
      return of(metalnessMap, 2);
    case 'occlusion':
      return of(aoMap, 0);
    case 'relief':
      return of(normalMap);
    default:
      return undefined;
  }
}

/** Which channels a material can show. */
export function channelsOf(material: Material, mapped: boolean): Channel[] {
  const lit = material instanceof MeshStandardMaterial;
  return CHANNELS.filter((channel) => {
    if (channel === 'roughness' || channel === 'metallic') return lit;
    if (channel === 'occlusion' || channel === 'relief') return mapOf(material, channel) !== undefined;
    return channel === 'uv' ? mapped : true;
  });
}

/** A material that shows one channel of another. `finished`: as lit by a light of ours, also where its own is baked in. */
export function channelMaterial(original: Material, channel: Channel): Material {
  const { map = null, color = new Color(1, 1, 1), side = FrontSide } = original as Partial<MeshStandardMaterial>;
  const { roughness = 1, metalness = 0 } = original as Partial<MeshStandardMaterial>;
  switch (channel) {
    case 'finished':
      return new MeshStandardMaterial({ map, color, side, roughness: 0.7, metalness: 0 });
    case 'clay':
      return new MeshStandardMaterial({ color: 0xb9b2a5, roughness: 0.85, metalness: 0, side });
    case 'baseColor':
      return new MeshBasicMaterial({ map, color, side, toneMapped: false });
    case 'roughness':
      return showMap(mapOf(original, channel), roughness, side);
    case 'metallic':
      return showMap(mapOf(original, channel), metalness, side);
    case 'occlusion':
    case 'relief':
      return showMap(mapOf(original, channel), 1, side);
    case 'normals':
      return new MeshNormalMaterial({ side });
    case 'uv':
      return new ShaderMaterial({
        side,
        vertexShader: VERTEX,
        fragmentShader:
          'varying vec2 vUv; void main() { vec2 c = floor(vUv * 32.0); float k = mod(c.x + c.y, 2.0); ' +
          'gl_FragColor = vec4(mix(vec3(0.35), vec3(vUv, 0.9), 0.35 + 0.5 * k), 1.0); }',
      });
  }
}

const VERTEX =
  'varying vec2 vUv; void main() { vUv = uv; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }';

/** Shows a map of data as it is stored, or one channel of it as grey, times a factor. */
const showMap = (map: ChannelMap | undefined, factor: number, side: Material['side']): ShaderMaterial =>
  new ShaderMaterial({
    side,
    uniforms: { map: { value: map?.texture ?? null }, factor: { value: factor } },
    vertexShader: VERTEX,
    fragmentShader:
      'uniform sampler2D map; uniform float factor; varying vec2 vUv; void main() { vec3 v = vec3(factor)' +
      `${map ? ` * texture2D(map, vUv)${map.index === undefined ? '.rgb' : `[${map.index}]`}` : ''}; ` +
      'gl_FragColor = vec4(v, 1.0); }',
  });
