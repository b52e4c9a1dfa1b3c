import {
  AmbientLight,
  Box3,
  type BufferGeometry,
  DirectionalLight,
  type Material,
  MathUtils,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  NeutralToneMapping,
  NoToneMapping,
  type Object3D,
  PerspectiveCamera,
  Scene,
  SRGBColorSpace,
  type Texture,
  TOUCH,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { MeshoptDecoder } from 'three/addons/libs/meshopt_decoder.module.js';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import type { Mesh as CoreMesh } from '../../../src/core/mesh.js';
import { fitOrbit, ORBIT_DEFAULTS, orbitDirection } from '../../../src/render/forward/orbit.js';
import { groundShadow } from './groundShadow.js';
import { capturedLight, studioLight } from './light.js';
import { type Channel, type ChannelMap, channelMaterial, channelsOf, mapOf } from './materials.js';
import { between, type Pose, poseOfCamera, type StageCamera, setLens } from './pose.js';
import { meshOf } from './stageMesh.js';

export const LIGHTS = ['photographed', 'studio', 'sun', 'even'] as const;
export type Light = (typeof LIGHTS)[number];

/** What the viewer shows of the model, in words of the file. */
export interface ModelFacts {
  triangles: number;
  vertices: number;
  size: [number, number, number];
  /** Channels that the materials have. */
  channels: Channel[];
  /** Lights that it can be seen in, the one that it was made for first. */
  lights: Light[];
  /** Its own light is in its colours, and does not turn. */
  baked: boolean;
}

export interface StageSettings {
  channel: Channel;
  light: Light;
  /** Radians. */
  lightTurn: number;
  wireframe: boolean;
  turntable: boolean;
}

export const FIRST_SETTINGS: StageSettings = {
  channel: 'finished',
  light: 'photographed',
  lightTurn: 0,
  wireframe: false,
  turntable: false,
};

/**
 * Position and target of the camera relative to the model: centre and radius taken out, so that models of other sizes
 * can follow.
 */
export interface Standpoint {
  position: [number, number, number];
  target: [number, number, number];
  fov: number;
}

/** Azimuth of the first look where no camera says one, degrees. */
const AZIMUTH = 24;
/** The framing holds all round, so that a turning model stays within. */
const ALL_ROUND = Array.from({ length: 24 }, (_, i) => i * 15);
const STUDIO_INTENSITY = 1;
/** The camera comes no nearer to the middle than this many radii of the ball around the model, and no farther. */
const NEAREST = 1.04;
const FARTHEST = 9;
/** Milliseconds of a frame above which a moving model is drawn with fewer pixels, and the fewest that it gets. */
const SLOW_FRAME = 45;
const COARSEST = 0.5;
/** Milliseconds of standstill after which all pixels are drawn. */
const STILL = 220;
/** How fast what a captured camera left behind (its roll, its off-centre lens) goes once the user turns, per second. */
const UPRIGHT_RATE = 7;

interface Part {
  mesh: Mesh;
  original: Material;
  made: Map<Channel, Material>;
}

/** Draws one model. It draws only when something changed, so that an idle page costs nothing. */
export class Stage {
  readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(ORBIT_DEFAULTS.fov, 1, 0.01, 100);
  private readonly controls: OrbitControls;
  private readonly sun = new DirectionalLight(0xfff4e0, 3);
  private readonly ambient = new AmbientLight(0xffffff, 0);
  /** Made when they are first needed: that takes shaders of its own. */
  private readonly environments: Partial<Record<Light, Texture>> = {};
  private hdr: ArrayBuffer | undefined;
  private readonly parts: Part[] = [];
  private readonly wires: Mesh[] = [];
  private shadow: Mesh | undefined;
  private readonly observer: ResizeObserver;
  private model: Object3D | undefined;
  private readonly box = new Box3();
  private readonly centre = new Vector3();
  private radius = 1;
  private settings = FIRST_SETTINGS;
  /** The captured camera at which it stands, while nobody turns. */
  private standing: StageCamera | undefined;
  /** What of the pose the controls know nothing of. */
  private lens: Pick<Pose, 'fov' | 'roll' | 'shift' | 'stretch'> = {
    fov: ORBIT_DEFAULTS.fov,
    roll: 0,
    shift: [0, 0],
    stretch: 1,
  };
  private flight: { from: Pose; to: Pose; begin: number; seconds: number; done: () => void } | undefined;
  private frame = 0;
  private last = 0;
  /** Share of the pixels, along each side, that this machine draws in time while the model moves. */
  private detail = 1;
  private slow = 0;
  private still: ReturnType<typeof setTimeout> | undefined;
  private quiet = false;
  /** Called when the user moved the camera. */
  onMove: ((standpoint: Standpoint) => void) | undefined;
  /** Called when the user takes the camera from where it stood or flew by itself. */
  onTaken: (() => void) | undefined;

  /** @throws where the browser has no WebGL 2 */
  constructor(private readonly canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: 'high-performance' });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.renderer.setClearAlpha(0);
    this.scene.add(this.sun, this.sun.target, this.ambient);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.autoRotateSpeed = 3;
    // One finger scrolls the page; two turn and zoom the model.
    this.controls.touches = { ONE: undefined as unknown as TOUCH, TWO: TOUCH.DOLLY_ROTATE };
    canvas.style.touchAction = 'pan-y';
    canvas.addEventListener('touchmove', keepTwoFingers, { passive: false });
    this.controls.addEventListener('start', () => this.takeOver());
    this.controls.addEventListener('change', () => {
      this.invalidate();
      if (!this.quiet && !this.flight) this.onMove?.(this.standpoint());
    });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(canvas.parentElement ?? canvas);
  }

  /**
   * Shows a binary glTF file. Textures are decoded off the page's thread and sent to the GPU one a frame.
   * @param hdr bytes of `light.hdr`, the light that the capture was found to have
   */
  async show(glb: ArrayBuffer, signal: AbortSignal, hdr?: ArrayBuffer): Promise<ModelFacts> {
    const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
    const { scene: model } = await loader.parseAsync(glb, '');
    if (signal.aborted) throw signal.reason;
    this.hdr = hdr;
    model.updateMatrixWorld(true);
    this.box.setFromObject(model, true);
    this.box.getCenter(this.centre);
    const size = this.box.getSize(new Vector3());
    this.radius = Math.max(size.length() / 2, 1e-6);
    let triangles = 0;
    let vertices = 0;
    const textures = new Set<Texture>();
    model.traverse((child) => {
      if (!(child instanceof Mesh)) return;
      const geometry = child.geometry as BufferGeometry;
      const original = child.material as Material;
      // There is one object, and it is never out of sight for long.
      child.frustumCulled = false;
      // What is not lit shows the file's own colours.
      if (original instanceof MeshBasicMaterial) original.toneMapped = false;
      triangles += (geometry.index?.count ?? geometry.attributes.position.count) / 3;
      vertices += geometry.attributes.position.count;
      for (const value of Object.values(original)) if (isTexture(value)) textures.add(value);
      this.parts.push({ mesh: child, original, made: new Map() });
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
    this.model = model;
    this.resize();
    this.reset();
    this.shadow = groundShadow(this.renderer, model, this.box);
    this.scene.add(this.shadow);
    const lights = this.lights();
    this.apply({ ...this.settings, light: lights[0] });
    // Nothing is drawn before the shaders are there: drawing would wait for them, and the page with it.
    await this.renderer.compileAsync(this.scene, this.camera);
    if (signal.aborted) throw signal.reason;
    const mapped = this.parts.some((p) => (p.mesh.geometry as BufferGeometry).attributes.uv !== undefined);
    const original = this.parts[0]?.original ?? new MeshBasicMaterial();
    return {
      triangles: Math.round(triangles),
      vertices,
      size: [size.x, size.y, size.z],
      channels: channelsOf(original, mapped),
      lights,
      baked: this.baked,
    };
  }

  apply(settings: StageSettings): void {
    this.settings = settings;
    for (const part of this.parts) part.mesh.material = this.materialOf(part, settings);
    if (settings.wireframe && this.wires.length === 0) {
      const wire = new MeshBasicMaterial({
        color: 0x0b665f,
        wireframe: true,
        transparent: true,
        opacity: 0.55,
        polygonOffset: true,
        polygonOffsetFactor: -1,
        toneMapped: false,
      });
      for (const { mesh } of this.parts) {
        const copy = new Mesh(mesh.geometry, wire);
        mesh.add(copy);
        this.wires.push(copy);
      }
    }
    for (const wire of this.wires) wire.visible = settings.wireframe;
    const { channel, light, lightTurn } = settings;
    const lit = channel === 'finished' || channel === 'clay';
    if (this.shadow) this.shadow.visible = lit;
    // The captured light is that of the pictures, which show what is brighter than white as white. Under other lights
    // highlights are rolled off, and the colours below them left as they are.
    this.renderer.toneMapping = light === 'photographed' ? NoToneMapping : NeutralToneMapping;
    this.scene.environment = lit ? this.environment(light) : null;
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

  /** The whole model, from a little above, as close as it can be without leaving the window while it turns. */
  reset(): void {
    this.standing = undefined;
    this.flight = undefined;
    this.setPose(this.home(AZIMUTH));
    this.keepDistance();
  }

  /** Flies to the whole model, staying on the side on which the camera is. Resolves when it is there. */
  async leave(seconds: number): Promise<void> {
    const { x, z } = this.camera.position.clone().sub(this.centre);
    this.standing = undefined;
    await this.fly(this.home(MathUtils.radToDeg(Math.atan2(x, z))), seconds);
    this.keepDistance();
  }

  /** Goes to where a camera of the capture stood; resolves when it is there. */
  async stand(camera: StageCamera, seconds = 0): Promise<void> {
    this.standing = camera;
    // A camera may have stood nearer than a hand may bring this one.
    this.controls.minDistance = 0;
    this.controls.maxDistance = Infinity;
    await this.fly(this.poseAt(camera), seconds);
  }

  standpoint(): Standpoint {
    const relative = (v: Vector3): [number, number, number] => {
      const r = v.clone().sub(this.centre).divideScalar(this.radius);
      return [r.x, r.y, r.z];
    };
    return { position: relative(this.camera.position), target: relative(this.controls.target), fov: this.lens.fov };
  }

  /** Follows another viewer's camera. */
  follow({ position, target, fov }: Standpoint): void {
    const absolute = (v: [number, number, number]): Vector3 =>
      new Vector3(...v).multiplyScalar(this.radius).add(this.centre);
    this.quiet = true;
    this.standing = undefined;
    this.flight = undefined;
    this.setPose({ ...upright(fov), position: absolute(position), target: absolute(target) });
    this.quiet = false;
  }

  /** Turns or zooms in steps, for the keyboard. */
  step(around: number, up: number, zoom: number): void {
    this.takeOver();
    const offset = this.camera.position.clone().sub(this.controls.target);
    offset.applyAxisAngle(new Vector3(0, 1, 0), around).multiplyScalar(zoom);
    const length = offset.length();
    offset.y = Math.min(length * 0.98, Math.max(-length * 0.98, offset.y + up * length));
    this.camera.position.copy(this.controls.target).add(offset.setLength(length));
    this.controls.update();
    this.invalidate();
  }

  /** The map that a channel shows, for looking at it flat. */
  flat(channel: Channel): ChannelMap | undefined {
    const { original } = this.parts[0] ?? {};
    return original && mapOf(original, channel);
  }

  /** One finger turns too where nothing is there to scroll: on the full screen. */
  takeOneFinger(taken: boolean): void {
    this.controls.touches.ONE = taken ? TOUCH.ROTATE : (undefined as unknown as TOUCH);
    this.canvas.style.touchAction = taken ? 'none' : 'pan-y';
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.still);
    this.observer.disconnect();
    this.controls.dispose();
    this.canvas.removeEventListener('touchmove', keepTwoFingers);
    for (const { mesh, original, made } of this.parts) {
      mesh.geometry.dispose();
      for (const value of Object.values(original)) if (isTexture(value)) value.dispose();
      original.dispose();
      for (const material of made.values()) material.dispose();
    }
    for (const texture of Object.values(this.environments)) texture.dispose();
    this.renderer.dispose();
  }

  /** Whether the file's own light is in its colours. */
  private get baked(): boolean {
    return this.parts.every((p) => !(p.original instanceof MeshStandardMaterial));
  }

  private lights(): Light[] {
    return this.baked || this.hdr ? [...LIGHTS] : LIGHTS.filter((light) => light !== 'photographed');
  }

  private environment(light: Light): Texture | null {
    if (light === 'sun' || light === 'even') return null;
    const captured = light === 'photographed' && this.hdr !== undefined;
    const kind = captured ? 'photographed' : 'studio';
    this.environments[kind] ??= captured ? capturedLight(this.renderer, this.hdr!) : studioLight(this.renderer);
    return this.environments[kind];
  }

  /** A model whose light is baked in is seen as photographed as it is in the file, and lit by any other light of ours. */
  private materialOf(part: Part, { channel, light }: StageSettings): Material {
    if (channel === 'finished' && (!this.baked || light === 'photographed')) return part.original;
    let made = part.made.get(channel);
    if (!made) {
      made = channelMaterial(part.original, channel);
      part.made.set(channel, made);
    }
    return made;
  }

  /**
   * Draws one picture of a size of its own, on this stage's canvas, which holds it until the next frame: from where the
   * camera is, or from an azimuth (degrees) with all of the model in it. `restore` gives the window back what it shows.
   */
  shoot(width: number, height: number, azimuth?: number): HTMLCanvasElement {
    const kept = this.pose();
    this.renderer.setPixelRatio(1);
    this.renderer.setSize(width, height, false);
    const pose = azimuth === undefined ? kept : this.home(azimuth, { width, height });
    this.camera.position.copy(pose.position);
    this.camera.lookAt(pose.target);
    setLens(this.camera, pose, { width, height });
    this.renderer.render(this.scene, this.camera);
    this.camera.position.copy(kept.position);
    this.camera.lookAt(kept.target);
    return this.canvas;
  }

  /** Shows the window's own size again, after `shoot`. */
  restore(): void {
    this.resize();
  }

  /** The model as one mesh. */
  mesh(): CoreMesh {
    return meshOf(this.model);
  }

  private home(azimuth: number, { width, height } = this.room()): Pose {
    const view = { azimuth, elevation: ORBIT_DEFAULTS.elevation, fov: ORBIT_DEFAULTS.fov };
    const { target, distance } = fitOrbit(meshOf(this.model), view, width / height, ALL_ROUND);
    const position = new Vector3(...orbitDirection(azimuth, view.elevation)).multiplyScalar(distance);
    const at = new Vector3(...target);
    return { ...upright(view.fov), position: position.add(at), target: at };
  }

  private poseAt(camera: StageCamera): Pose {
    return poseOfCamera(camera, this.room(), this.centre, this.radius * 0.1);
  }

  private pose(): Pose {
    return { ...this.lens, position: this.camera.position.clone(), target: this.controls.target.clone() };
  }

  private setPose(pose: Pose): void {
    this.lens = { fov: pose.fov, roll: pose.roll, shift: pose.shift, stretch: pose.stretch };
    this.camera.position.copy(pose.position);
    this.controls.target.copy(pose.target);
    setLens(this.camera, this.lens, this.room());
    // The controls turn at every update, of which there is one a frame already.
    this.controls.autoRotate = false;
    this.controls.update();
    this.controls.autoRotate = this.settings.turntable;
    this.invalidate();
  }

  private fly(to: Pose, seconds: number): Promise<void> {
    this.flight?.done();
    this.flight = undefined;
    if (seconds === 0) {
      this.setPose(to);
      return Promise.resolve();
    }
    return new Promise((done) => {
      this.flight = { from: this.pose(), to, begin: performance.now(), seconds, done };
      this.invalidate();
    });
  }

  /** The user moves the camera now. */
  private takeOver(): void {
    const { flight, standing } = this;
    this.flight = undefined;
    this.standing = undefined;
    flight?.done();
    if (flight || standing) this.onTaken?.();
  }

  /** Limits of the distance, from where the camera is: what stands nearer already may stay. */
  private keepDistance(): void {
    const away = this.camera.position.distanceTo(this.controls.target);
    this.controls.minDistance = Math.min(away, this.radius * NEAREST);
    this.controls.maxDistance = Math.max(away, this.radius * FARTHEST);
    this.controls.maxTargetRadius = this.radius * 0.6;
    this.controls.cursor.copy(this.centre);
  }

  private room(): { width: number; height: number } {
    const { clientWidth, clientHeight } = this.canvas;
    return { width: Math.max(1, clientWidth), height: Math.max(1, clientHeight) };
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    this.setDetail(1);
    if (this.standing && !this.flight) this.setPose(this.poseAt(this.standing));
    else setLens(this.camera, this.lens, { width, height });
    this.invalidate();
  }

  private invalidate(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame((now) => {
      this.frame = 0;
      const seconds = Math.min(0.1, (now - this.last) / 1000);
      this.last = now;
      this.advance(now, seconds);
      if (!this.model) return;
      this.keepPace(seconds * 1000);
      this.renderer.render(this.scene, this.camera);
    });
  }

  /** Draws what moves as fine as the machine can in time, and what stands still with all its pixels. */
  private keepPace(milliseconds: number): void {
    clearTimeout(this.still);
    if (this.frame === 0) {
      // Nothing asks for another frame yet; the last one is drawn in full.
      if (this.detail < 1) this.still = setTimeout(() => this.drawInFull(), STILL);
      return;
    }
    this.slow = milliseconds > SLOW_FRAME ? this.slow + 1 : 0;
    if (this.slow < 3 || this.detail <= COARSEST) return;
    this.slow = 0;
    this.setDetail(Math.max(COARSEST, this.detail * 0.7));
  }

  private drawInFull(): void {
    this.setDetail(1);
    this.renderer.render(this.scene, this.camera);
  }

  private setDetail(detail: number): void {
    this.detail = detail;
    const { width, height } = this.room();
    this.renderer.setPixelRatio(Math.min(2, devicePixelRatio) * detail);
    this.renderer.setSize(width, height, false);
  }

  private advance(now: number, seconds: number): void {
    const { flight } = this;
    if (flight) {
      const t = Math.min(1, (now - flight.begin) / 1000 / flight.seconds);
      this.setPose(between(flight.from, flight.to, t * t * (3 - 2 * t)));
      if (t === 1) {
        this.flight = undefined;
        flight.done();
      }
    } else {
      // Damping and the turntable change the camera, which asks for the next frame.
      this.controls.update(seconds);
      if (!this.standing) this.straighten(seconds);
    }
    this.stayOutside();
    if (this.lens.roll !== 0) this.camera.rotateZ(this.lens.roll);
  }

  /** Lets go of the roll and the off-centre lens of a captured camera. */
  private straighten(seconds: number): void {
    const { roll, shift, stretch } = this.lens;
    if (roll === 0 && shift[0] === 0 && shift[1] === 0 && stretch === 1) return;
    const keep = Math.exp(-UPRIGHT_RATE * Math.max(seconds, 0.01));
    const settle = (v: number): number => (Math.abs(v * keep) < 1e-3 ? 0 : v * keep);
    this.lens.roll = settle(roll);
    this.lens.shift = [settle(shift[0]), settle(shift[1])];
    this.lens.stretch = 1 + settle(stretch - 1);
    setLens(this.camera, this.lens, this.room());
    this.invalidate();
  }

  /** A camera that a hand moves, panning too, stays out of the model. */
  private stayOutside(): void {
    if (this.standing || this.flight) return;
    const offset = this.camera.position.clone().sub(this.centre);
    const least = Math.min(this.controls.minDistance, this.radius * NEAREST);
    if (offset.length() < least) this.camera.position.copy(this.centre).add(offset.setLength(least));
  }
}

const upright = (fov: number): Pick<Pose, 'fov' | 'roll' | 'shift' | 'stretch'> => ({
  fov,
  roll: 0,
  shift: [0, 0],
  stretch: 1,
});

const isTexture = (value: unknown): value is Texture => (value as Texture | null)?.isTexture === true;

/** Two fingers are the model's: without this the browser would scroll or zoom the page with them. */
function keepTwoFingers(event: TouchEvent): void {
  if (event.touches.length > 1 && event.cancelable) event.preventDefault();
}
