"""Whether a folder holds what StartThingRegistrationTask of AWS IoT takes: template.json and parameters.ndjson.

Written from the developer guide ("Provisioning templates", "Bulk registration") and the API reference
(StartThingRegistrationTask, RegisterThing, CreateThing).

    bulk.py FOLDER      prints how many things it registers, and what with
"""
import hashlib
import json
import pathlib
import re
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization

NAME = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
LOGICAL = re.compile(r"[A-Za-z0-9]+")
PROPERTIES = {
    "AWS::IoT::Thing": {"ThingName", "AttributePayload", "ThingTypeName", "ThingGroups", "BillingGroup"},
    "AWS::IoT::Certificate": {"CertificateSigningRequest", "CertificateId", "CertificatePem", "CACertificatePem", "Status"},
    "AWS::IoT::Policy": {"PolicyName", "PolicyDocument"},
}
OVERRIDES = {
    "AWS::IoT::Thing": {"AttributePayload", "ThingTypeName", "ThingGroups"},
    "AWS::IoT::Certificate": {"Status"},
    "AWS::IoT::Policy": set(),
}
ACTIONS = {"DO_NOTHING", "REPLACE", "FAIL", "MERGE"}


def refuse(condition, reason):
    if not condition:
        sys.exit(reason)


def value(node, parameters):
    """A string, or a reference to a declared parameter."""
    if isinstance(node, dict):
        refuse(set(node) == {"Ref"} and node["Ref"] in parameters, f"{node} refers to no parameter")
        return node["Ref"]
    refuse(isinstance(node, str), f"{node} is no string")
    return None


def template(text):
    refuse(len(text) <= 10240, "templateBody has at most 10240 characters")
    document = json.loads(text)
    refuse(set(document) <= {"Parameters", "Resources"}, "sections of a bulk template are Parameters and Resources")
    parameters = document["Parameters"]
    for name, parameter in parameters.items():
        refuse(LOGICAL.fullmatch(name), f"{name} is no parameter's name")
        refuse(parameter["Type"] == "String" and set(parameter) <= {"Type", "Default"}, "parameters are strings")
    found, used = {}, set()
    for name, resource in document["Resources"].items():
        kind, properties = resource["Type"], resource["Properties"]
        refuse(LOGICAL.fullmatch(name), f"{name} is no logical name")
        refuse(set(resource) <= {"Type", "Properties", "OverrideSettings"}, f"{name} has unknown members")
        refuse(kind in PROPERTIES and kind not in found, f"{name}: one resource of each known type")
        refuse(set(properties) <= PROPERTIES[kind], f"{name} has unknown properties")
        settings = resource.get("OverrideSettings", {})
        refuse(set(settings) <= OVERRIDES[kind] and set(settings.values()) <= ACTIONS, f"{name}: override settings")
        refuse("MERGE" not in {settings.get("ThingTypeName"), settings.get("Status")}, "MERGE is for lists only")
        found[kind] = properties
        for property, node in properties.items():
            nodes = node if property == "ThingGroups" else node.values() if property == "AttributePayload" else [node]
            used |= {value(node, parameters) for node in nodes} - {None}
    refuse(used == set(parameters), "each parameter is used")
    thing, certificate = found["AWS::IoT::Thing"], found["AWS::IoT::Certificate"]
    ways = {"CertificateSigningRequest", "CertificateId", "CertificatePem"} & set(certificate)
    refuse(len(ways) == 1, "there is one way to name a certificate")
    refuse("CACertificatePem" not in certificate or ways == {"CertificatePem"}, "a CA goes with a certificate")
    refuse(certificate.get("Status", "ACTIVE") in {"ACTIVE", "INACTIVE"}, "Status is ACTIVE or INACTIVE")
    refuse("ThingName" in thing, "a thing has a name")
    for group in thing.get("ThingGroups", []):
        refuse(NAME.fullmatch(group), f"{group} is no group's name")
    policy = found.get("AWS::IoT::Policy")
    refuse(policy is None or len(policy) == 1, "a policy has a name or a document, and not both")
    words = [*ways, *["group"] * bool(thing.get("ThingGroups")), *["policy"] * bool(policy)]
    return set(parameters), words


def line(text, parameters, seen):
    values = json.loads(text)
    refuse(set(values) == parameters, "a line has each parameter, and no others")
    refuse(all(isinstance(each, str) for each in values.values()), "values are strings")
    refuse(NAME.fullmatch(values["ThingName"]), "a thing's name")
    refuse(values["ThingName"] not in seen, "each thing once")
    seen.add(values["ThingName"])
    if "CertificateId" in values:
        refuse(re.fullmatch("[0-9a-f]{64}", values["CertificateId"]), "an id is a SHA-256")
        return
    certificate = x509.load_pem_x509_certificate(values["CertificatePem"].encode())
    authority = x509.load_pem_x509_certificate(values["CACertificatePem"].encode())
    certificate.verify_directly_issued_by(authority)
    return hashlib.sha256(authority.public_bytes(serialization.Encoding.DER)).hexdigest()


def main(folder):
    parameters, words = template((folder / "template.json").read_text())
    text = (folder / "parameters.ndjson").read_text()
    refuse(text.endswith("\n") and "\n\n" not in text, "newline-delimited JSON")
    seen = set()
    authorities = {line(each, parameters, seen) for each in text.splitlines()} - {None}
    if authorities:
        given = {path.stem.removeprefix("signer-") for path in folder.glob("signer-*.pem")}
        refuse({name[:16] for name in authorities} <= given, "each authority is there to be registered first")
    print(f"{len(seen)} things, {' '.join(words)}")


main(pathlib.Path(sys.argv[1]))
