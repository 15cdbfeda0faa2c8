/** Messages about values that a schema refuses, in one wording for configuration, routes and the API. */
export { acceptsType, alternativesOf, type JsonSchema, jsonSchemaOf, schemasAt } from './json-schema.ts';
export { didYouMean, nearest } from './nearest.ts';
export { firstProblems, type Problem, pathOf, pointerOf } from './problem.ts';
export { type Issue, type IssueContext, problemsOf, unknownKeyProblem } from './problems-of.ts';
export { visible, visibleLines } from './visible.ts';
export { describeInput, oneOf, redactUrls } from './wording.ts';
