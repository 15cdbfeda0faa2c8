/** Who may do what. Pure: rules over addresses that know no protocol, no file and no request. */
export * from './access.ts';
export * from './actions.ts';
export * from './areas.ts';
export * from './grant.ts';
export * from './principal.ts';
export * from './roles.ts';
export * from './secrets.ts';
