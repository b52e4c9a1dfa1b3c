declare module 'gltf-validator' {
  export interface Report {
    issues: {
      numErrors: number;
      numWarnings: number;
      numInfos: number;
      numHints: number;
      messages: { code: string; message: string; severity: number; pointer?: string }[];
    };
    info: { generator?: string; totalTriangleCount: number; totalVertexCount: number };
  }
  export function validateBytes(bytes: Uint8Array): Promise<Report>;
}
