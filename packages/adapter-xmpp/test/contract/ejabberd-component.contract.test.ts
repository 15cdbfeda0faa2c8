import { xmppComponentContract } from '../support/contract.ts';

xmppComponentContract('ejabberd');
