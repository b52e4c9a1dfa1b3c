import {
  type Box3,
  DataTexture,
  DoubleSide,
  LinearFilter,
  Mesh,
  MeshBasicMaterial,
  type Object3D,
  OrthographicCamera,
  PlaneGeometry,
  Scene,
  ShaderMaterial,
  Vector3,
  type WebGLRenderer,
  WebGLRenderTarget,
} from 'three';
import { GROUND_SHADOW, softenShadow } from '../../../src/core/groundShadow.js';

/** The soft shadow of a model on the plane under it, the same that the engine's previews have. Black, not seen from below. */
export function groundShadow(renderer: WebGLRenderer, model: Object3D, box: Box3): Mesh {
  const { size, reach, fade, strength } = GROUND_SHADOW;
  const centre = box.getCenter(new Vector3());
  const extent = box.getSize(new Vector3());
  const radius = Math.max(1e-9, Math.hypot(extent.x, extent.z) / 2);
  const half = radius * reach;
  // Straight from below: what is nearest the ground wins. x and z become the map's columns and rows.
  const material = new ShaderMaterial({
    side: DoubleSide,
    uniforms: {
      middle: { value: new Vector3(centre.x, box.min.y, centre.z) },
      half_: { value: half },
      tall: { value: Math.max(extent.y, 1e-9) },
      fall: { value: fade * radius },
    },
    vertexShader:
      'uniform vec3 middle; uniform float half_, tall; varying float above; void main() { vec3 p = (modelMatrix * ' +
      'vec4(position, 1.0)).xyz - middle; above = p.y; gl_Position = vec4(p.xz / half_, p.y / tall * 1.9 - 0.95, ' +
      '1.0); }',
    fragmentShader:
      'uniform float fall; varying float above; void main() { gl_FragColor = vec4(vec3(exp(-max(above, 0.0) / ' +
      'fall)), 1.0); }',
  });
  const scene = new Scene();
  scene.overrideMaterial = material;
  const parent = model.parent;
  scene.add(model);
  const target = new WebGLRenderTarget(size, size);
  renderer.setRenderTarget(target);
  renderer.setClearAlpha(0);
  renderer.clear();
  renderer.render(scene, new OrthographicCamera());
  const pixels = new Uint8Array(size * size * 4);
  renderer.readRenderTargetPixels(target, 0, 0, size, size, pixels);
  renderer.setRenderTarget(null);
  target.dispose();
  material.dispose();
  scene.remove(model);
  parent?.add(model);

  const near = new Float32Array(size * size);
  for (let i = 0; i < near.length; i++) near[i] = pixels[i * 4] / 255;
  const dark = softenShadow(near);
  const bytes = new Uint8Array(size * size * 4);
  for (let i = 0; i < dark.length; i++) bytes[i * 4 + 3] = Math.round(dark[i] * 255);
  const map = new DataTexture(bytes, size, size);
  map.minFilter = LinearFilter;
  map.magFilter = LinearFilter;
  map.needsUpdate = true;
  const plane = new PlaneGeometry(2 * half, 2 * half);
  // Lies flat with its front up; its rows then run against z.
  plane.rotateX(-Math.PI / 2);
  const uv = plane.attributes.uv;
  for (let i = 0; i < uv.count; i++) uv.setY(i, 1 - uv.getY(i));
  const ground = new Mesh(
    plane,
    new MeshBasicMaterial({
      map,
      color: 0,
      transparent: true,
      opacity: strength,
      depthWrite: false,
      toneMapped: false,
    }),
  );
  ground.position.set(centre.x, box.min.y - extent.y * 1e-4, centre.z);
  ground.renderOrder = -1;
  return ground;
}
