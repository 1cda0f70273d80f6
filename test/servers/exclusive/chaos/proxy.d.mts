/** Stands between one replica and its server, and decides what becomes of bytes. */
export interface Proxy {
  readonly port: number;
  cut(mode: 'drop' | 'swallow'): void;
  heal(): void;
  /** Makes every connection of this moment silent for good, without a reset. Returns how many there are. */
  silence(): number;
  close(): void;
}

export declare function startProxy(port: number, host?: string): Promise<Proxy>;
