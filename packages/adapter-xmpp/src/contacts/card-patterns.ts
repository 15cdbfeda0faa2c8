/** How contacts whose names fit a pattern are called and look. */
export interface CardRule {
  /** Pattern of the contact's name, such as `pump-{number}`. */
  readonly contact: string;
  /** `{captures}` of the pattern stand for what they took. */
  readonly name?: string | undefined;
  readonly groups: readonly string[];
  /** Path of a picture. */
  readonly photo?: string | undefined;
}

/** What a contact is called, and its picture's path. */
export interface CardFacts {
  readonly name: string;
  readonly groups: readonly string[];
  readonly photo?: string | undefined;
}

const CAPTURE = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Names in braces. */
const capturesOf = (text: string): string[] => [...text.matchAll(CAPTURE)].map(([, name = '']) => name);

/** What is wrong with a rule, as a sentence; undefined when it is fine. */
export function cardProblem({ contact, name = '', groups }: CardRule): string | undefined {
  const captures = capturesOf(contact);
  const twice = captures.find((each, index) => captures.indexOf(each) !== index);
  if (twice !== undefined) return `"${contact}" has {${twice}} twice`;
  const unknown = [name, ...groups].flatMap(capturesOf).find((each) => !captures.includes(each));
  if (unknown !== undefined) return `"{${unknown}}" is no capture of "${contact}"`;
  const left = [contact, name, ...groups].find((text) => /[{}]/.test(text.replaceAll(CAPTURE, '')));
  return left === undefined ? undefined : `"${left}": expected each capture as {name}`;
}

/** Finds the card of a contact: the first rule whose pattern its name fits, else its name alone. */
export function createCardFinder(rules: readonly CardRule[]): (contact: string) => CardFacts {
  const compiled = rules.map((rule) => ({ rule, pattern: patternOf(rule.contact) }));
  return (contact) => {
    for (const { rule, pattern } of compiled) {
      const found = pattern.exec(contact);
      if (!found) continue;
      const fill = (text: string): string => text.replace(CAPTURE, (_, name: string) => found.groups?.[name] ?? '');
      return {
        name: rule.name === undefined ? contact : fill(rule.name),
        groups: rule.groups.map(fill),
        photo: rule.photo,
      };
    }
    return { name: contact, groups: [] };
  };
}

/** A text that stands for itself in a regular expression. */
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** A capture takes at least one character, and as few as fit. */
function patternOf(text: string): RegExp {
  const parts = text.split(CAPTURE).map((part, index) => (index % 2 === 1 ? `(?<${part}>.+?)` : escaped(part)));
  return new RegExp(`^${parts.join('')}$`, 'su');
}
