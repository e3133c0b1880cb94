"""Lets in the devices of a list, and no others: the consumer of just-in-time registration.

An AWS Lambda function behind a rule on `$aws/events/certificates/registered/<id of the CA>`. ALLOWED names a file with a line
`CERTIFICATE-ID THING` for each device, POLICY the policy that the devices get. The role of the function needs
iot:DescribeCertificate, iot:UpdateCertificate, iot:CreateThing, iot:AttachThingPrincipal and iot:AttachPolicy.
"""

import os

import boto3

iot = boto3.client("iot")


def things():
    """From certificate ids, which are the SHA-256 of the certificates, to things."""
    with open(os.environ["ALLOWED"], encoding="utf-8") as lines:
        return dict(line.split() for line in lines if line.strip())


def handler(event, _context):
    """Called once for each certificate that came in by itself, or twice: AWS may deliver an event again."""
    certificate_id = event["certificateId"]
    certificate = iot.describe_certificate(certificateId=certificate_id)["certificateDescription"]
    thing = things().get(certificate_id)
    if thing is None:
        # Nobody's: the device stays outside, whatever else is registered later.
        if certificate["status"] != "REVOKED":
            iot.update_certificate(certificateId=certificate_id, newStatus="REVOKED")
        return "refused"
    arn = certificate["certificateArn"]
    iot.create_thing(thingName=thing)
    iot.attach_thing_principal(thingName=thing, principal=arn)
    iot.attach_policy(policyName=os.environ["POLICY"], target=arn)
    if certificate["status"] == "PENDING_ACTIVATION":
        iot.update_certificate(certificateId=certificate_id, newStatus="ACTIVE")
    return "admitted"
