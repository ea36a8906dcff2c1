#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the pages of docs/ against the elements: each property stands in the
table of its element's page with its default, each value of an enumeration, each
media type of a pad template, message, context and signal stands somewhere there,
and a table has no property that is not there. Exits with 77, skipped, without PyGObject.

  documented.py DOCS ELEMENT…
  documented.py --table ELEMENT        prints a table to start from"""
import pathlib
import re
import sys

try:
    import gi
    gi.require_version('Gst', '1.0')
    from gi.repository import GObject, Gst
except (ImportError, ValueError):
    print('no PyGObject with Gst: skipped')
    sys.exit(77)

PAGES = {'cencdecrypt': 'cencdecrypt.md', 'cencencrypt': 'cencencrypt.md',
         'offlinelicensesrc': 'licenses.md', 'smilremixsrc': 'remix.md', 'smilremixbin': 'remix.md'}
# What an element says and asks beside its properties and caps.
WORDS = {'cencdecrypt': ['cencdecrypt-key-needed', 'offline-license', 'gst.cenc.key-session', 'key-id', 'init-data'],
         'cencencrypt': ['cencencrypt-keys', 'key-ids', 'pssh', 'skd-uris', 'period', 'start'],
         'offlinelicensesrc': ['offline-license', 'gst.cenc.key-session', 'license:///'],
         'smilremixsrc': [], 'smilremixbin': []}


def own_properties(factory):
    kind = factory.get_element_type()
    return [spec for spec in factory.create(None).list_properties() if spec.owner_type == kind]


def default(spec):
    """As the tables have it; None: this PyGObject (3.52) does not tell."""
    value = getattr(spec, 'default_value', None)
    if isinstance(value, int) and not isinstance(value, (bool, GObject.GEnum, GObject.GFlags)) and \
            spec.value_type.fundamental in (GObject.TYPE_ENUM, GObject.TYPE_FLAGS):
        return None
    if isinstance(value, GObject.GEnum):
        return value.value_nick
    if isinstance(value, GObject.GFlags):
        return ', '.join(value.value_nicks)
    if isinstance(value, bool):
        return str(value).lower()
    return '' if value is None else str(value)


def access(spec):
    if not spec.flags & GObject.ParamFlags.READABLE:
        return ' (write-only)'
    return '' if spec.flags & GObject.ParamFlags.WRITABLE else ' (read-only)'


def enumeration(spec):
    """The nicks of a property's values."""
    if not isinstance(getattr(spec, 'default_value', None), (GObject.GEnum, GObject.GFlags)):
        return []
    values = getattr(spec.default_value, '__enum_values__', None) or getattr(spec.default_value, '__flags_values__', {})
    return [nick for value in values.values()
            for nick in ([value.value_nick] if isinstance(value, GObject.GEnum) else value.value_nicks)]


def table(text):
    """{property: the cells of its row} of the section "Properties"; a row can have several."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')] if line.startswith('| `') else []
        for name in re.findall(r'`([a-z-]+)`', cells[0]) if cells else []:
            rows.setdefault(name, cells)
    return rows


def section(text):
    found = re.search(r'^## Properties$(.*?)(?=^## )', text, re.M | re.S)
    return found.group(1) if found else None


def problems(name, text):
    factory = Gst.ElementFactory.find(name)
    if factory is None:
        yield 'there is no such element'
        return
    factory = factory.load()
    specs = own_properties(factory)
    part = section(text)
    rows = table(part or text)
    with_defaults = part is not None and '| default |' in part
    for spec in specs:
        if spec.name not in rows:
            yield f'property {spec.name} is in no table'
            continue
        cells = rows[spec.name]
        if access(spec) == ' (write-only)' and 'write-only' not in cells[0]:
            yield f'property {spec.name} is write-only, which its row does not say'
        if with_defaults and default(spec) not in (None, cells[1].strip('`')):
            yield f'property {spec.name}: its default is "{default(spec)}", not "{cells[1]}"'
        for nick in enumeration(spec):
            if not re.search(rf'`(\w+=)?{re.escape(nick)}`', text):
                yield f'{spec.name}={nick} is not told'
    if part is not None and specs:
        for row in set(rows) - {spec.name for spec in specs}:
            yield f'there is no property {row}'
    caps = [template.get_caps() for template in factory.get_static_pad_templates()]
    for media in {one.get_structure(i).get_name() for one in caps if not one.is_any() for i in range(one.get_size())}:
        if media not in text:
            yield f'caps {media} are not told'
    for word in WORDS[name]:
        if word not in text:
            yield f'{word} is not told'
    for key in ('long-name', 'description', 'author', 'klass'):
        if not factory.get_metadata(key):
            yield f'it has no {key}'


def print_table(name):
    print('| property | default | |\n|---|---|---|')
    for spec in own_properties(Gst.ElementFactory.find(name).load()):
        value = default(spec)
        words = spec.blurb[0].lower() + spec.blurb[1:]
        nicks = ''.join(f', `{nick}`' for nick in enumeration(spec))
        print(f'| `{spec.name}`{access(spec)} | {f"`{value}`" if value else ""} | {words}{":" + nicks[1:] if nicks else ""} |')


def main():
    Gst.init(None)
    if sys.argv[1] == '--table':
        print_table(sys.argv[2])
        return
    failures = 0
    for name in sys.argv[2:]:
        page = pathlib.Path(sys.argv[1]) / PAGES[name]
        for problem in problems(name, page.read_text(encoding='utf-8')):
            print(f'{page.name}: {name}: {problem}')
            failures += 1
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
