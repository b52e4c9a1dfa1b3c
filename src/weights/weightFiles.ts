import type { TensorFile } from './safetensors.js';

/** Files of network weights of this installation, as methods open them. */
export interface WeightFiles {
  /** A file of tensors. @throws `WEIGHTS_MISSING`, `WEIGHTS_INVALID`, `WEIGHTS_UNSUPPORTED` */
  tensors(repository: string, path: string): Promise<TensorFile>;
  /** What a .json file holds. @throws `WEIGHTS_MISSING`, `WEIGHTS_INVALID` */
  json(repository: string, path: string): Promise<Record<string, unknown>>;
  /** Digest that changes whenever one of the files is replaced; checkpoints are of no use with another. */
  identity(): Promise<string>;
  /** Whether the software adapter may run large networks. */
  readonly onSoftware: boolean;
  /** Whether networks of other sizes than the published ones are taken, as tests do. */
  readonly testModels: boolean;
}
