import {
  AmbientLight,
  Box3,
  type BufferGeometry,
  Color,
  DirectionalLight,
  FrontSide,
  type Material,
  Mesh,
  MeshBasicMaterial,
  MeshNormalMaterial,
  MeshStandardMaterial,
  NeutralToneMapping,
  type Object3D,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  ShaderMaterial,
  SRGBColorSpace,
  type Texture,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';
import { MeshoptDecoder } from 'three/addons/libs/meshopt_decoder.module.js';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';

export const CHANNELS = ['finished', 'lit', 'clay', 'baseColor', 'roughness', 'metallic', 'normals', 'uv'] as const;
export type Channel = (typeof CHANNELS)[number];
export const LIGHTS = ['studio', 'sun', 'even'] as const;
export type Light = (typeof LIGHTS)[number];

/** What the viewer shows of the model, in words of the file. */
export interface ModelFacts {
  triangles: number;
  vertices: number;
  size: [number, number, number];
  /** Channels that the materials have. */
  channels: Channel[];
}

export interface StageSettings {
  channel: Channel;
  light: Light;
  /** Radians. */
  lightTurn: number;
  wireframe: boolean;
  turntable: boolean;
}

/** A camera as in `quality.json`: column-major camera-to-world, pixels. */
export interface StageCamera {
  cameraToWorld: number[];
  width: number;
  height: number;
  fy: number;
}

/**
 * Position and target of the camera relative to the model: centre and radius taken out, so that models of other sizes
 * can follow.
 */
export interface Standpoint {
  position: [number, number, number];
  target: [number, number, number];
  fov: number;
}

const FOV = 35;
/** White paper turned to the studio's lamps comes out just below white. */
const STUDIO_INTENSITY = 0.62;

/** Draws one model. It draws only when something changed, so that an idle page costs nothing. */
export class Stage {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(FOV, 1, 0.01, 100);
  private readonly controls: OrbitControls;
  private readonly sun = new DirectionalLight(0xfff4e0, 3);
  private readonly ambient = new AmbientLight(0xffffff, 0);
  /** Made when it is first needed: that takes shaders of its own. */
  private studio: Texture | undefined;
  private readonly meshes: { mesh: Mesh; original: Material; extra: Map<Channel, Material> }[] = [];
  private readonly wires: Mesh[] = [];
  private readonly observer: ResizeObserver;
  private model: Object3D | undefined;
  private readonly centre = new Vector3();
  private radius = 1;
  private settings: StageSettings = {
    channel: 'finished',
    light: 'studio',
    lightTurn: 0,
    wireframe: false,
    turntable: false,
  };
  private frame = 0;
  private last = 0;
  private quiet = false;
  /** Called when the user moved the camera. */
  onMove: ((standpoint: Standpoint) => void) | undefined;

  /** @throws where the browser has no WebGL 2 */
  constructor(private readonly canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: 'high-performance' });
    this.renderer.outputColorSpace = SRGBColorSpace;
    // Rolls highlights off and leaves the colours below them as they are.
    this.renderer.toneMapping = NeutralToneMapping;
    this.scene.add(this.sun, this.sun.target, this.ambient);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.addEventListener('change', () => {
      this.invalidate();
      if (!this.quiet) this.onMove?.(this.standpoint());
    });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(canvas.parentElement ?? canvas);
  }

  /** Shows a binary glTF file. Textures are decoded off the page's thread and sent to the GPU one a frame. */
  async show(glb: ArrayBuffer, signal: AbortSignal): Promise<ModelFacts> {
    const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
    const { scene: model } = await loader.parseAsync(glb, '');
    if (signal.aborted) throw signal.reason;
    const box = new Box3().setFromObject(model);
    box.getCenter(this.centre);
    const size = box.getSize(new Vector3());
    this.radius = Math.max(size.length() / 2, 1e-6);
    let triangles = 0;
    let vertices = 0;
    const textures = new Set<Texture>();
    model.traverse((child) => {
      if (!(child instanceof Mesh)) return;
      const geometry = child.geometry as BufferGeometry;
      const original = child.material as Material;
      // What is not lit shows the file's own colours.
      if (original instanceof MeshBasicMaterial) original.toneMapped = false;
      triangles += (geometry.index?.count ?? geometry.attributes.position.count) / 3;
      vertices += geometry.attributes.position.count;
      for (const value of Object.values(original)) if (isTexture(value)) textures.add(value);
      this.meshes.push({ mesh: child, original, extra: new Map() });
    });
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
    for (const texture of textures) {
      await pause();
      if (signal.aborted) throw signal.reason;
      this.renderer.initTexture(texture);
    }
    this.scene.add(model);
    this.camera.near = this.radius / 100;
    this.camera.far = this.radius * 100;
    this.reset();
    this.apply(this.settings);
    // Nothing is drawn before the shaders are there: drawing would wait for them, and the page with it.
    await this.renderer.compileAsync(this.scene, this.camera);
    if (signal.aborted) throw signal.reason;
    this.model = model;
    this.resize();
    const lit = this.meshes.some((m) => m.original instanceof MeshStandardMaterial);
    const mapped = this.meshes.some((m) => (m.mesh.geometry as BufferGeometry).attributes.uv !== undefined);
    return {
      triangles: Math.round(triangles),
      vertices,
      size: [size.x, size.y, size.z],
      channels: CHANNELS.filter((c) =>
        c === 'roughness' || c === 'metallic' ? lit : c === 'lit' ? !lit : c === 'uv' ? mapped : true,
      ),
    };
  }

  apply(settings: StageSettings): void {
    this.settings = settings;
    for (const entry of this.meshes) entry.mesh.material = this.materialOf(entry, settings.channel);
    if (settings.wireframe && this.wires.length === 0) {
      const wire = new MeshBasicMaterial({
        color: 0x0b665f,
        wireframe: true,
        transparent: true,
        opacity: 0.55,
        polygonOffset: true,
        polygonOffsetFactor: -1,
      });
      for (const { mesh } of this.meshes) {
        const copy = new Mesh(mesh.geometry, wire);
        mesh.add(copy);
        this.wires.push(copy);
      }
    }
    for (const wire of this.wires) wire.visible = settings.wireframe;
    const { light, lightTurn } = settings;
    this.scene.environment = light === 'studio' && this.isLit(settings.channel) ? this.studioLight() : null;
    this.scene.environmentRotation.y = lightTurn;
    this.scene.environmentIntensity = STUDIO_INTENSITY;
    this.sun.intensity = light === 'sun' ? 3.2 : 0;
    this.ambient.intensity = light === 'sun' ? 0.5 : light === 'even' ? 3.1 : 0;
    this.sun.position
      .set(Math.sin(lightTurn + 0.8), 0.9, Math.cos(lightTurn + 0.8))
      .multiplyScalar(this.radius * 4)
      .add(this.centre);
    this.sun.target.position.copy(this.centre);
    this.controls.autoRotate = settings.turntable;
    this.invalidate();
  }

  /** The whole model, from a little above. */
  reset(): void {
    this.camera.fov = FOV;
    const distance =
      (this.radius / Math.sin((FOV / 2 / 180) * Math.PI)) * (this.camera.aspect < 1 ? 1 / this.camera.aspect : 1);
    this.camera.position
      .set(0.45, 0.35, 1)
      .normalize()
      .multiplyScalar(distance * 1.02)
      .add(this.centre);
    this.controls.target.copy(this.centre);
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.invalidate();
  }

  /** Stands where a camera of the capture stood. */
  stand({ cameraToWorld: m, height, fy }: StageCamera): void {
    const position = new Vector3(m[12], m[13], m[14]);
    const forward = new Vector3(-m[8], -m[9], -m[10]).normalize();
    const along = Math.max(this.centre.clone().sub(position).dot(forward), this.radius * 0.1);
    this.camera.fov = (2 * Math.atan(height / 2 / fy) * 180) / Math.PI;
    this.camera.position.copy(position);
    this.controls.target.copy(position).addScaledVector(forward, along);
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.invalidate();
  }

  standpoint(): Standpoint {
    const relative = (v: Vector3): [number, number, number] => {
      const r = v.clone().sub(this.centre).divideScalar(this.radius);
      return [r.x, r.y, r.z];
    };
    return { position: relative(this.camera.position), target: relative(this.controls.target), fov: this.camera.fov };
  }

  /** Follows another viewer's camera. */
  follow({ position, target, fov }: Standpoint): void {
    this.quiet = true;
    this.camera.fov = fov;
    this.camera.position
      .set(...position)
      .multiplyScalar(this.radius)
      .add(this.centre);
    this.controls.target
      .set(...target)
      .multiplyScalar(this.radius)
      .add(this.centre);
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.quiet = false;
    this.invalidate();
  }

  /** Turns or zooms in steps, for the keyboard. */
  step(around: number, up: number, zoom: number): void {
    const offset = this.camera.position.clone().sub(this.controls.target);
    offset.applyAxisAngle(new Vector3(0, 1, 0), around).multiplyScalar(zoom);
    const length = offset.length();
    offset.y = Math.min(length * 0.98, Math.max(-length * 0.98, offset.y + up * length));
    this.camera.position.copy(this.controls.target).add(offset.setLength(length));
    this.controls.update();
    this.invalidate();
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.controls.dispose();
    for (const { mesh, original, extra } of this.meshes) {
      mesh.geometry.dispose();
      for (const value of Object.values(original)) if (isTexture(value)) value.dispose();
      original.dispose();
      for (const material of extra.values()) material.dispose();
    }
    this.studio?.dispose();
    this.renderer.dispose();
  }

  private isLit(channel: Channel): boolean {
    if (channel === 'finished') return this.meshes.some((m) => m.original instanceof MeshStandardMaterial);
    return channel === 'lit' || channel === 'clay';
  }

  private studioLight(): Texture {
    if (!this.studio) {
      const generator = new PMREMGenerator(this.renderer);
      this.studio = generator.fromScene(new RoomEnvironment(), 0.04).texture;
      generator.dispose();
    }
    return this.studio;
  }

  private materialOf(entry: Stage['meshes'][number], channel: Channel): Material {
    if (channel === 'finished') return entry.original;
    let made = entry.extra.get(channel);
    if (!made) {
      made = makeMaterial(entry.original, channel);
      entry.extra.set(channel, made);
    }
    return made;
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    this.renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.invalidate();
  }

  private invalidate(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      const seconds = Math.min(0.1, (now - this.last) / 1000);
      this.last = now;
      // Damping and the turntable change the camera, which asks for the next frame.
      this.controls.update(seconds);
      if (this.model) this.renderer.render(this.scene, this.camera);
    });
  }
}

const isTexture = (value: unknown): value is Texture => (value as Texture | null)?.isTexture === true;

function makeMaterial(original: Material, channel: Channel): Material {
  const { map = null, color = new Color(1, 1, 1), side = FrontSide } = original as Partial<MeshStandardMaterial>;
  const {
    roughnessMap = null,
    metalnessMap = null,
    roughness = 1,
    metalness = 0,
  } = original as Partial<MeshStandardMaterial>;
  switch (channel) {
    case 'lit':
      return new MeshStandardMaterial({ map, color, side, roughness: 0.7, metalness: 0 });
    case 'clay':
      return new MeshStandardMaterial({ color: 0xb9b2a5, roughness: 0.85, metalness: 0, side });
    case 'baseColor':
      return new MeshBasicMaterial({ map, color, side, toneMapped: false });
    case 'roughness':
      return channelMaterial(roughnessMap, 1, roughness, side);
    case 'metallic':
      return channelMaterial(metalnessMap, 2, metalness, side);
    case 'normals':
      return new MeshNormalMaterial({ side });
    default:
      return new ShaderMaterial({
        side,
        vertexShader:
          'varying vec2 vUv; void main() { vUv = uv; gl_Position = projectionMatrix * modelViewMatrix * ' +
          'vec4(position, 1.0); }',
        fragmentShader:
          'varying vec2 vUv; void main() { vec2 c = floor(vUv * 32.0); float k = mod(c.x + c.y, 2.0); ' +
          'gl_FragColor = vec4(mix(vec3(0.35), vec3(vUv, 0.9), 0.35 + 0.5 * k), 1.0); }',
      });
  }
}

/** Shows one channel of a texture, times its factor, as grey. */
const channelMaterial = (map: Texture | null, index: number, factor: number, side: Material['side']): ShaderMaterial =>
  new ShaderMaterial({
    side,
    uniforms: { map: { value: map }, factor: { value: factor } },
    vertexShader:
      'varying vec2 vUv; void main() { vUv = uv; gl_Position = projectionMatrix * modelViewMatrix * ' +
      'vec4(position, 1.0); }',
    fragmentShader:
      'uniform sampler2D map; uniform float factor; varying vec2 vUv; void main() { float v = ' +
      `factor${map ? ` * texture2D(map, vUv)[${index}]` : ''}; gl_FragColor = vec4(vec3(v), 1.0); }`,
  });
