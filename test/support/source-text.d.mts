export interface NamedFunction { readonly name: string; readonly start: number; readonly end: number }
export function functionsOf(text: string): NamedFunction[];
export function functionAt(functions: readonly NamedFunction[], position: number): string;
export function replaceIn(text: string, name: string, find: string, replace: string): string;
