const PREFIX = 'base64:';

// Control characters and non-characters: a broker may close the link over them [MQTT-1.5.4-2, section 1.5.4].
const ILLEGAL = /[\u0000-\u001f\u007f-\u009f\p{Noncharacter_Code_Point}]/u;

/** Whether a text could make a broker close the link. */
export const illegalText = (text: string): boolean => ILLEGAL.test(text) || !text.isWellFormed();

/** A text as MQTT can carry it, lone surrogates replaced: as it is, or `base64:…` of its UTF-8 bytes when the protocol forbids some character. */
export function toMqttText(text: string): string {
  const formed = text.toWellFormed();
  if (!illegalText(formed) && !formed.startsWith(PREFIX)) return formed;
  return PREFIX + Buffer.from(formed).toString('base64');
}

/** The inverse of `toMqttText`; a foreign `base64:…` that `toMqttText` would not have made stays as it is. */
export function fromMqttText(text: string): string {
  if (!text.startsWith(PREFIX)) return text;
  const decoded = Buffer.from(text.slice(PREFIX.length), 'base64').toString();
  return toMqttText(decoded) === text ? decoded : text;
}
