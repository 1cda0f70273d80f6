/**
 * Whether these are the headers of a FormData. Since Node 24, `fetch` fills the stream of a form by itself, whether or not
 * anyone reads, and ends the process if the stream is cancelled before it is full.
 */
export function isFormType(headers: Headers): boolean {
  return /^multipart\/form-data; ?boundary=-{4}formdata-/i.test(headers.get('content-type') ?? '');
}
