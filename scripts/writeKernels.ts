/** Compiles the kernels in AssemblyScript (`.as`) of src/ to the `.wasm` files beside them, which are checked in. */
import { writeFileSync } from 'node:fs';
import { compileKernel, kernelSources } from './compileKernel.js';

for (const file of kernelSources()) writeFileSync(file.replace(/\.as$/, '.wasm'), await compileKernel(file));
