// A property: its value as it changes, a plot of its numbers, and a form to write it.
import { Component, createRef, html } from "../libraries/preact.js";
import { toLine, toNumber, toTime } from "../core/format.js";
import { isFile, kindOf } from "../forms/schema.js";
import { Sparkline } from "../plots/sparkline.js";
import { Result } from "../results/result.js";
import { ownForm, titleOf, wordsOf } from "../things/description.js";
import { PropertyForm } from "./property-form.js";
import { watchVisible } from "./visible.js";

export class PropertyRow extends Component {
  row = createRef();
  state = { version: 0, isOpen: false, isWriting: false };
  #isSeen = false;
  #isRead = false;

  componentDidMount() {
    const { live, name } = this.props;
    this.unlisten = live.property(name).listen(() => this.#isSeen && this.#redraw());
    this.unwatch = watchVisible(this.row.current, (isSeen) => this.#see(isSeen));
  }

  componentWillUnmount() {
    this.unlisten();
    this.unwatch();
  }

  #redraw() {
    this.setState(({ version }) => ({ version: version + 1 }));
  }

  /** What nobody sees is neither read nor drawn. */
  #see(isSeen) {
    this.#isSeen = isSeen;
    if (!isSeen) return;
    if (!this.#isRead && isReadable(this.props.schema) && !isHeavy(this.props.schema)) this.#read();
    this.#redraw();
  }

  #read = () => {
    this.#isRead = true;
    return this.props.live.read(this.props.name);
  };

  #show = async () => {
    if (!this.#isRead) await this.#read();
    this.setState(({ isOpen }) => ({ isOpen: !isOpen }));
  };

  render({ live, name, schema }, { version, isOpen, isWriting }) {
    const property = live.property(name);
    const isWritable = ownForm(schema, "writeproperty", undefined, "application/json") !== undefined;
    const isUnread = isHeavy(schema) && property.value === undefined && !property.problem;
    const isLong =
      property.value !== undefined &&
      (isFile(schema) || (typeof property.value === "object" && property.value !== null));
    return html`<li class="property" ref=${this.row}>
      <div class="property-name"><h3>${titleOf(schema, name)}</h3>
        ${wordsOf(schema) && html`<p class="words clamp">${wordsOf(schema)}</p>`}</div>
      <div class="property-plot">${
        property.series.points.length > 1 &&
        html`<${Sparkline} points=${property.series.points} version=${version} label=${titleOf(schema, name)} />`
      }</div>
      <div class="property-value" aria-live=${property.count > 20 ? "off" : "polite"}>
        ${isLong || isUnread ? "" : html`<${Value} property=${property} schema=${schema} />`}
        ${property.at && html`<span class="hint">${toTime(property.at)}</span>`}</div>
      <div class="row property-do">
        ${
          !schema.observable &&
          !isUnread &&
          isReadable(schema) &&
          html`<button type="button" class="quiet small"
          aria-label=${`Read ${name}`} onClick=${this.#read}>Read</button>`
        }
        ${
          (isLong || isUnread) &&
          html`<button type="button" class="small" aria-expanded=${String(isOpen)}
          aria-label=${`${isOpen ? "Hide" : "Show"} ${name}`} onClick=${this.#show}>${isOpen ? "Hide" : "Show"}</button>`
        }
        ${
          isWritable &&
          html`<button type="button" class="small" aria-expanded=${String(isWriting)}
          onClick=${() => this.setState({ isWriting: !isWriting })}>Write</button>`
        }
      </div>
      ${isLong && (isOpen || isShort(schema)) && html`<div class="property-more"><${Result} value=${property.value} schema=${schema} name=${name} /></div>`}
      ${
        isWriting &&
        html`<div class="property-more"><${PropertyForm} live=${live} name=${name} schema=${schema}
        onDone=${() => this.setState({ isWriting: false })} /></div>`
      }
    </li>`;
  }
}

const isReadable = (schema) => ownForm(schema, "readproperty", undefined, "application/json") !== undefined;

/** It may be long, and nobody says when it changes: it is read when it is asked for. */
const isHeavy = (schema) => !schema.observable && ["array", "object"].includes(schema.type);

/** A picture is seen at once. */
const isShort = (schema) => isFile(schema) && String(schema.contentMediaType).startsWith("image/");

function Value({ property, schema }) {
  const { value, problem } = property;
  if (problem) return html`<span class="hint">${problem.title}</span>`;
  if (value === undefined) return html`<span class="hint">–</span>`;
  const text = typeof value === "number" ? toNumber(value) : toLine(value, 120);
  return html`<strong class=${kindOf(schema) === "number" ? "number" : ""}>${text}</strong>${
    typeof schema.unit === "string" && html` <span class="hint">${schema.unit}</span>`
  }`;
}
