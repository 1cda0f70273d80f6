import { type BodyEnd, ResponseBody } from './response-body.js';
import { withBody } from './responses.js';

/**
 * Calls `done` when a response's body has been fully read or cancelled. A body that ends within this turn (one built from a
 * string) counts as read before anyone reads it, because a unit test often looks only at the status.
 *
 * @returns the response to send in place of the one given
 * @throws the error of a body that fails within this turn or that somebody else reads; RangeError for a status that
 * cannot be sent
 */
export async function whenRead(response: Response, done: BodyEnd): Promise<Response> {
  if (response.body === null) {
    done();
    return response;
  }
  if (response.bodyUsed) throw new TypeError('The body of the Response was read already.');
  const body = new ResponseBody(response, done);
  const rest = await body.readAhead() ?? body.stream();
  try {
    return withBody(response, rest);
  } catch (error) {
    void body.cancel(error);
    throw error;
  }
}
