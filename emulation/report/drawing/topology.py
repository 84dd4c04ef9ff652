"""The drawing of a topology: networks in the middle, what is in them around."""

from collections.abc import Sequence

from emulation.metrics.run import NetworkFigures, NodeFigures
from emulation.report.drawing.canvas import WIDTH, colour, hint, svg
from emulation.report.markup import Markup, element
from emulation.report.numbers import bytes_text, rate_text

BOX_WIDTH, BOX_HEIGHT, GAP = 168, 46, 14
NETWORK_HEIGHT = 58
TIMES = "\N{MULTIPLICATION SIGN}"
LEFT, RIGHT = 8.0, float(WIDTH - BOX_WIDTH - 8)
MIDDLE = (WIDTH - BOX_WIDTH) / 2


def topology(networks: Sequence[NetworkFigures], nodes: Sequence[NodeFigures]) -> Markup:
    """Those that serve on the left, those that only ask on the right, each joined to its networks."""
    serving = [node for node in nodes if node.protocols or node.is_broker or node.app == "servient"]
    asking = [node for node in nodes if node not in serving]
    height = max(
        _height(len(serving), BOX_HEIGHT),
        _height(len(asking), BOX_HEIGHT),
        _height(len(networks), NETWORK_HEIGHT),
    )
    place = {
        network.name: (MIDDLE, y)
        for network, y in zip(networks, _places(len(networks), NETWORK_HEIGHT, height), strict=True)
    }
    joined: list[Markup] = []
    boxes: list[Markup] = []
    for side, x, centre in ((serving, LEFT, LEFT + BOX_WIDTH), (asking, RIGHT, RIGHT)):
        for node, y in zip(side, _places(len(side), BOX_HEIGHT, height), strict=True):
            boxes.append(_node(node, x, y))
            joined += [
                _line(centre, y + BOX_HEIGHT / 2, x == LEFT, place[name], index)
                for index, network in enumerate(networks)
                if (name := network.name) in node.networks
            ]
    boxes += [_network(network, *place[network.name], i) for i, network in enumerate(networks)]
    return svg(height, "Topology: nodes and the networks they are in", joined, boxes)


def _height(count: int, size: float) -> float:
    return count * (size + GAP) + GAP


def _places(count: int, size: float, height: float) -> list[float]:
    free = (height - count * size) / (count + 1) if count else 0
    return [round(free + index * (size + free), 1) for index in range(count)]


def _line(x: float, y: float, is_left: bool, network: tuple[float, float], index: int) -> Markup:
    to_x = network[0] if is_left else network[0] + BOX_WIDTH
    to_y = network[1] + NETWORK_HEIGHT / 2
    bend = (x + to_x) / 2
    path = f"M{x:g} {y:g} C{bend:g} {y:g} {bend:g} {to_y:g} {to_x:g} {to_y:g}"
    return element("path", d=path, class_=f"wire {colour(index)}")


def _node(node: NodeFigures, x: float, y: float) -> Markup:
    count = f" {TIMES} {len(node.replicas)}" if len(node.replicas) > 1 else ""
    limits = [f"{node.cpu_cores:g} cores"] if node.cpu_cores else []
    limits += [bytes_text(node.memory_bytes)] if node.memory_bytes else []
    below = ", ".join((*node.protocols, *limits)) or node.app.rpartition("/")[2]
    words = f"{node.name}{count}: {node.app}; {below}"
    return _box(x, y, BOX_HEIGHT, f"{node.name}{count}", [below], words, "node")


def _network(network: NetworkFigures, x: float, y: float, index: int) -> Markup:
    rate = rate_text(network.rate_kbit * 1000) if network.rate_kbit else "no limit"
    delay = f"{network.latency_ms:g} ± {network.jitter_ms:g} ms"
    loss = f", {network.loss_percent:g} % lost" if network.loss_percent else ""
    rows = [
        f"{delay}{loss}",
        rate + (f", {len(network.changes)} changes" if network.changes else ""),
    ]
    words = f"network {network.name} {network.conditions}: {', '.join(rows)}"
    return _box(x, y, NETWORK_HEIGHT, network.name, rows, words, f"network {colour(index)}")


def _box(
    x: float, y: float, height: float, title: str, rows: Sequence[str], words: str, class_: str
) -> Markup:
    centre = x + BOX_WIDTH / 2
    texts = [
        element("text", row[:30], x=centre, y=y + 35 + 14 * i, class_="tick", text_anchor="middle")
        for i, row in enumerate(rows)
    ]
    rounding = 8 if class_ == "node" else 26
    return element(
        "g",
        hint(words),
        element("rect", x=x, y=y, width=BOX_WIDTH, height=height, rx=rounding, class_=class_),
        element("text", title[:22], x=centre, y=y + 19, class_="name", text_anchor="middle"),
        texts,
    )
