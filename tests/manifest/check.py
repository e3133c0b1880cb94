"""What others say of a manifest: Microchip's pytrustplatform, then PyJWT and cryptography.

    check.py verify MANIFEST LOG_SIGNER ROOT   prints the serial number of each entry that both believe
    check.py create MANIFEST LOG_SIGNER KEY DEVICE SIGNER   has pytrustplatform make a manifest of certificates

All files but MANIFEST are PEM.
"""
import base64
import json
import sys

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pytrustplatform.manifest.manifest import Manifest, ManifestSigner, TnGoTlsSecureElement


def read(path):
    with open(path, "rb") as file:
        return file.read()


def microchip(manifest, log_signer):
    """Microchip's own verification; it raises for what it does not believe."""
    for signed in Manifest(manifest, signer_ca=ManifestSigner(log_signer)):
        signed.verify()
        element = signed.get_secure_element(TnGoTlsSecureElement)
        chain = (element.get_device_certificate(), element.get_signer_certificate())
        yield element.uniqueId, *(x509.load_der_x509_certificate(base64.b64decode(der)) for der in chain)


def independent(manifest, log_signer, root):
    """The same from the standards, with libraries that know nothing of manifests."""
    log_signer, root = (x509.load_pem_x509_certificate(pem) for pem in (log_signer, root))
    for entry in json.loads(manifest):
        token = ".".join((entry["protected"], entry["payload"], entry["signature"]))
        header = jwt.get_unverified_header(token)
        fingerprint = base64.urlsafe_b64encode(log_signer.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        identifier = log_signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert header["x5t#S256"] == fingerprint
        assert header["kid"] == base64.urlsafe_b64encode(identifier).rstrip(b"=").decode()
        element = jwt.decode(token, log_signer.public_key(), algorithms=["ES256"])
        keys = [jwt.PyJWK(key) for key in element["publicKeySet"]["keys"]]
        chain = element["publicKeySet"]["keys"][0]["x5c"]
        device, signer = (x509.load_der_x509_certificate(base64.b64decode(der)) for der in chain)
        device.verify_directly_issued_by(signer)
        signer.verify_directly_issued_by(root)
        assert device.public_key() == keys[0].key
        assert [key.key_id for key in keys] == ["0", "1", "2", "3", "4"]
        common_name = device.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        assert common_name == "sn" + element["uniqueId"].upper()
        assert entry["header"]["uniqueId"] == element["uniqueId"]
        yield element["uniqueId"], device, signer


def verify(manifest, log_signer, root):
    manifest, log_signer, root = read(manifest), read(log_signer), read(root)
    theirs, ours = list(microchip(manifest, log_signer)), list(independent(manifest, log_signer, root))
    for (serial, device, signer), (other, other_device, other_signer) in zip(theirs, ours, strict=True):
        assert (serial, device, signer) == (other, other_device, other_signer)
        print(serial)


def create(manifest, log_signer, key, device, signer):
    from pytrustplatform.manifest.data_provider import CertsData

    made = Manifest(signer_ca=ManifestSigner(read(log_signer), key=read(key)))
    element = TnGoTlsSecureElement()
    element.build(CertsData(device, signer))
    made.append(element)
    with open(manifest, "w", encoding="ascii") as file:
        file.write(made.dumps())


{"verify": verify, "create": create}[sys.argv[1]](*sys.argv[2:])
