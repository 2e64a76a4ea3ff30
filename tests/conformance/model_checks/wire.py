"""Bodies and parameters as they are sent: query requests, XML responses and recorded bytes."""


def form(shape, pairs, prefix=""):
    """The value of a query request's parameters; the used ones are removed from `pairs`."""
    kind = shape.type_name
    if kind == "structure":
        members = {}
        for name, member in shape.members.items():
            key = member.serialization.get("name", name)
            value = form(member, pairs, f"{prefix}.{key}" if prefix else key)
            if value is not None:
                members[name] = value
        return members if members or not prefix else None
    if kind == "list":
        flat = shape.serialization.get("flattened")
        values = []
        while (value := form(shape.member, pairs, f"{prefix}.{'' if flat else 'member.'}{len(values) + 1}")) is not None:
            values.append(value)
        return values or None
    if kind == "map":
        entries = {}
        while (key := pairs.pop(f"{prefix}.entry.{len(entries) + 1}.key", None)) is not None:
            entries[key] = form(shape.value, pairs, f"{prefix}.entry.{len(entries) + 1}.value")
        return entries or None
    text = pairs.pop(prefix, None)
    if text is None:
        return None
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    return text == "true" if kind == "boolean" else text


def tag(element):
    """An element's name without its namespace."""
    return element.tag.rsplit("}", 1)[-1]


def document(shape, element):
    """The value of an XML element; what is not in the model is left out."""
    if shape.type_name == "structure":
        children = {tag(child): child for child in element}
        named = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        return {name: document(member, children[key]) for key, (name, member) in named.items() if key in children}
    if shape.type_name == "list":
        return [document(shape.member, child) for child in element]
    return scalar(shape, element.text or "")


def unknown_elements(shape, element, path):
    """Elements of an XML document that are not in the model."""
    if shape.type_name == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            if tag(child) not in known:
                yield f"{path}.{tag(child)}: no member of {shape.name}"
                continue
            member = known[tag(child)]
            flat = member.type_name == "list" and member.serialization.get("flattened")
            yield from unknown_elements(member.member if flat else member, child, f"{path}.{tag(child)}")
    elif shape.type_name == "list":
        expected = shape.member.serialization.get("name", "member")
        for child in element:
            if tag(child) != expected:
                yield f"{path}.{tag(child)}: expected items named {expected}"
            else:
                yield from unknown_elements(shape.member, child, path)


def octets(body):
    """A recorded body; for an object only the size is recorded."""
    if isinstance(body, str):
        return body.encode()
    return bytes.fromhex(body["hex"]) if "hex" in body else b"\0" * body["bytes"]


class Stream:
    def __init__(self, raw):
        self.raw = raw

    def read(self, *_):
        return self.raw


def without_nulls(value):
    """An input as the JSON protocols read it: a null is absent."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def scalar(shape, text):
    if shape.type_name in ("integer", "long"):
        return int(text)
    return text == "true" if shape.type_name == "boolean" else text
