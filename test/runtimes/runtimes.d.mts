export declare const NODE_VERSIONS: readonly string[];
export declare function otherVersion(current: string, time: number): string;
export declare const RUNTIMES: readonly {
  readonly name: string;
  readonly kind: 'esm' | 'cjs';
  readonly expected: string;
  readonly command: readonly [string, readonly string[]];
}[];
