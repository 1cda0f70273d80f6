/**
 * A [Standard Schema](https://standardschema.dev): what zod, valibot and arktype schemas all are. Only what is needed
 * here is named, so that no schema library is.
 */
export interface StandardSchemaV1<In = unknown, Out = In> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => any;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}
