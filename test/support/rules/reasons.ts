/** Sentences of docs/compatibility.md that say why bale answers otherwise than an Engine. */
export const NAMED = 'refused with **501** and its name';
export const WRONG_VALUE =
  'A value of the wrong type, or one that a field does not have, is refused with **400** and its path';
export const EARLIER = 'Checked when a service is made, not when its container is';
export const LATER_500 = 'Where an Engine answers a wrong request with 500, bale answers 400 with the same words';
export const ROLLBACK_CHECKED = 'A RollbackConfig is checked like an UpdateConfig';
export const NO_CONTAINER = 'A task template without a ContainerSpec is refused for the image that it lacks';
export const TEMPLATE_WORDS = 'What is wrong with a template is said without its text, which may be a secret';
export const CONFIG_NAMES = '`GET /configs` takes the filter `names` as `GET /secrets` does';
export const ACCEPTED = 'The membership of every node is `accepted`';
export const MALFORMED_FILTERS = 'What is wrong with `filters` is said in words of bale';
export const NEWER = 'Fields that came after API 1.41 are checked by the rules that came with them';
