/**
 * A [Standard Schema](https://standardschema.dev), such as a schema of zod, valibot or arktype. It names only the members
 * that hydrant uses, so hydrant depends on no schema library.
 */
export interface StandardSchemaV1<In = unknown, Out = In> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => any;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}
