// axe-core in a page: what a machine can find of the Web Content Accessibility Guidelines, rules of level A and AA.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WORLD = 'axe';

const RULES = {
  /** Every rule of these, none left out. Sizes of targets are new in 2.2, and axe asks for them to be named. */
  all: {
    runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'] },
    rules: { 'target-size': { enabled: true } },
  },
  /** Those of them that look at colours. */
  colours: { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } },
};

/** An axe for one page, in a JavaScript world of its own: the page's content security policy stays as it is. */
export class Axe {
  /** @param {import('puppeteer-core').CDPSession} session */
  constructor(session) {
    this.session = session;
  }

  /** @param {import('puppeteer-core').Page} page */
  static async beside(page) {
    return new Axe(await page.createCDPSession());
  }

  /** What is wrong with the page as it is now, a line for each element. @param {keyof typeof RULES} rules @returns {Promise<string[]>} */
  async violations(rules) {
    const { frameTree } = await this.session.send('Page.getFrameTree');
    const { executionContextId } = await this.session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: WORLD });
    const evaluate = async (/** @type {string} */ expression) => {
      const answer = await this.session.send('Runtime.evaluate', { contextId: executionContextId, expression, awaitPromise: true, returnByValue: true });
      if (answer.exceptionDetails !== undefined) throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
      return answer.result.value;
    };
    if (!(await evaluate('typeof axe === "object"'))) await evaluate(`${SOURCE};0`);
    /** @type {{ id: string, nodes: { target: string[], failureSummary: string }[] }[]} */
    const found = await evaluate(`axe.run(document, ${JSON.stringify({ ...RULES[rules], resultTypes: ['violations'] })}).then(({ violations }) => violations)`);
    return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replaceAll(/\s+/g, ' ')}`));
  }
}
