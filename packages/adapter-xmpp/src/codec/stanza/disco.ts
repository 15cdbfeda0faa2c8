import { attribute, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';

/** A query for an entity's features (XEP-0030). */
export const discoQuery = (): Element => xml('query', { xmlns: NS.discoInfo });

/** A query for what there is at an entity (XEP-0030). */
export const itemsQuery = (): Element => xml('query', { xmlns: NS.discoItems });

/** The addresses of the answer to it; none of an error. */
export const itemsOf = (answer: Element): string[] =>
  (answer.getChild('query', NS.discoItems)?.getChildren('item') ?? []).flatMap((item) => attribute(item, 'jid') ?? []);

/** Whether the answer to a query for features lists a feature. */
export const announces = (answer: Element, feature: string): boolean =>
  attribute(answer, 'type') === 'result' &&
  (answer.getChild('query', NS.discoInfo)?.getChildren('feature') ?? []).some(
    (child) => attribute(child, 'var') === feature,
  );
