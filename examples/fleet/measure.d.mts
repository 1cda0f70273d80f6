export declare const CONNECTIONS: number;
export declare const USES: number;

/** How a balancer chooses: from the connection's id, the number of the use, and the replicas that are up. */
export type Choice = (id: string, use: number, up: readonly number[]) => number;
export declare const WAYS: Readonly<Record<'round robin' | 'hash of the id, modulo' | 'consistent hash of the id', Choice>>;

export declare function measure(hydrant: typeof import('hydrant'), choose: Choice, options: { losesOne: boolean }):
  Promise<{ creates: number; thirds: number[] }>;

/** Numbers from 0 to 1, the same ones for the same seed. */
export declare function random(seed: number): () => number;
