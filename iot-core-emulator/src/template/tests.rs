use serde_json::json;

use super::*;

const ID: &str = "AWS::IoT::Certificate::Id";

fn template(parameters: &Value, thing: &Value) -> Value {
    json!({
        "Parameters": parameters,
        "Resources": {
            "thing": {"Type": "AWS::IoT::Thing", "Properties": thing},
            "certificate": {"Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": ID}, "Status": "Active"}},
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "gateway"}},
        }
    })
}

fn given(pairs: &[(&str, &str)]) -> Parameters {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn refused(kind: Kind, body: &Value) -> String {
    match Template::parse(kind, &body.to_string()) {
        Err(Error::Template(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn parameters_come_from_the_device_or_their_default() {
    let declared = json!({
        ID: {"Type": "String"},
        "SerialNumber": {"Type": "String"},
        "Location": {"Type": "String", "Default": "WA"},
    });
    let thing = json!({
        "ThingName": {"Fn::Join": ["", ["gw-", {"Ref": "SerialNumber"}]]},
        "AttributePayload": {"site": {"Ref": "Location"}, "version": "v1"},
    });
    let template = Template::parse(Kind::Fleet, &template(&declared, &thing).to_string()).unwrap();
    let plan = template.plan(&given(&[(ID, "ab"), ("SerialNumber", "7")])).unwrap();
    let thing = plan.thing.unwrap();
    assert_eq!(thing.name, "gw-7");
    assert_eq!(thing.attributes["site"], "WA");
    assert_eq!(plan.status, Status::Active);
    assert_eq!(plan.policies, [PolicySource::Named("gateway".to_owned())]);
    assert_eq!(template.plan(&given(&[(ID, "ab")])).unwrap_err(), "parameter SerialNumber has no value");
}

#[test]
fn the_functions_of_the_guide() {
    let mut body =
        template(&json!({ID: {"Type": "String"}, "Name": {"Type": "String"}}), &json!({"ThingName": "t"}));
    body["Mappings"] = json!({"Table": {"Seattle": {"Url": "https://example.aws"}}});
    body["DeviceConfiguration"] = json!({
        "Url": {"Fn::FindInMap": ["Table", "Seattle", "Url"]},
        "Second": {"Fn::Select": ["1", {"Fn::Split": [" ", {"Ref": "Name"}]}]},
        "Text": {"Fn::Sub": "<${Name}>"},
        "Own": {"Fn::Sub": ["${a}-${Name}", {"a": {"Ref": "Name"}}]},
    });
    let template = Template::parse(Kind::Fleet, &body.to_string()).unwrap();
    let told = template.plan(&given(&[(ID, "ab"), ("Name", "x y")])).unwrap().device_configuration;
    assert_eq!(told["Url"], "https://example.aws");
    assert_eq!(told["Second"], "y");
    assert_eq!(told["Text"], "<x y>");
    assert_eq!(told["Own"], "x y-x y");
    // The guide: an index out of bounds is a provisioning error.
    assert!(template.plan(&given(&[(ID, "ab"), ("Name", "x")])).unwrap_err().contains("Fn::Select"));
}

#[test]
fn just_in_time_takes_parameters_of_the_subject_and_no_functions() {
    let subject = json!({ID: {"Type": "String"}, "AWS::IoT::Certificate::CommonName": {"Type": "String"}});
    let by_name = json!({"ThingName": {"Ref": "AWS::IoT::Certificate::CommonName"}});
    assert!(Template::parse(Kind::JustInTime, &template(&subject, &by_name).to_string()).is_ok());
    let foreign = json!({ID: {"Type": "String"}, "SerialNumber": {"Type": "String"}});
    assert!(
        refused(Kind::JustInTime, &template(&foreign, &json!({"ThingName": "t"}))).contains("SerialNumber")
    );
    let function = json!({"ThingName": {"Fn::Join": ["", ["a", "b"]]}});
    assert!(refused(Kind::JustInTime, &template(&subject, &function)).contains("Fn::Join"));
}

#[test]
fn what_is_not_understood_is_refused() {
    let id = json!({ID: {"Type": "String"}});
    let good = template(&id, &json!({"ThingName": "t"}));
    for (change, problem) in [
        (json!({"ThingName": "t", "ThingGroups": ["g"]}), "ThingGroups"),
        (json!({"ThingName": {"Ref": "Undeclared"}}), "Undeclared"),
        (json!({"ThingName": {"Fn::Base64": "t"}}), "Fn::Base64"),
    ] {
        assert!(refused(Kind::Fleet, &template(&id, &change)).contains(problem), "{change}");
    }
    let mut both = good.clone();
    both["Resources"]["policy"]["Properties"]["PolicyDocument"] = json!({});
    assert!(refused(Kind::Fleet, &both).contains("either"));
    let mut none = good.clone();
    none["Resources"].as_object_mut().unwrap().remove("certificate");
    assert!(refused(Kind::Fleet, &none).contains("certificate"));
    let mut by_csr = good;
    by_csr["Resources"]["certificate"]["Properties"] = json!({"CertificateSigningRequest": "x"});
    assert!(refused(Kind::Fleet, &by_csr).contains("CertificateSigningRequest"));
}
