//! Scripts that met a fault once, made short: they are run each time. A line is an operation, as a
//! failing run prints it.

/// What was wrong, and the script.
pub const SCRIPTS: &[(&str, &str)] = &[
    (
        "an update was judged by more than it changes, so that a conflict could not be mended",
        r#"
        {"Create":{"name":"users","seed":289}}
        {"Set":{"key":"users:1","json":"{\"n\":1}","when":"Always","ttl":"Drop"}}
        {"Copy":{"from":"users:1","to":"users:2","db":null,"replace":false}}
        {"Update":{"key":"users:2","changes":[["SET","s","\"x\""]],"returned":"Version"}}
        {"Set":{"key":"users:2","json":"{\"n\":1}","when":"Always","ttl":"Drop"}}
        "#,
    ),
    (
        "IFVERSION 0 took a copy outside of all collections for an absent document",
        r#"
        {"Set":{"key":"notes:1","json":"{}","when":"Always","ttl":"Drop"}}
        {"Copy":{"from":"notes:1","to":"plain0","db":null,"replace":false}}
        {"Set":{"key":"plain0","json":"{\"n\":1}","when":"Absent","ttl":"Drop"}}
        "#,
    ),
    (
        "a document that left all collections lost its version after a collection had been dropped",
        r#"
        {"Create":{"name":"goods","seed":289}}
        {"Drop":{"name":"goods","documents":false}}
        {"Set":{"key":"notes:1","json":"{}","when":"Always","ttl":"Drop"}}
        {"Rename":{"from":"notes:1","to":"plain0"}}
        {"Set":{"key":"plain0","json":"{\"n\":1}","when":"Absent","ttl":"Drop"}}
        "#,
    ),
    (
        "a lapsed document was in the way of a declaration",
        r#"
        {"Set":{"key":"goods:0","json":"{}","when":"Always","ttl":{"To":{"form":"Millis","step":0}}}}
        "Pass"
        {"Create":{"name":"goods","seed":289}}
        "#,
    ),
    (
        "a declaration gave a number to a lapsed document, which a replica and a file did not",
        r#"
        {"Select":1}
        {"Set":{"key":"notes:0","json":"{}","when":"Always","ttl":"Drop"}}
        {"Rename":{"from":"notes:0","to":"item-0"}}
        {"Select":0}
        {"Set":{"key":"users:1","json":"{}","when":"Always","ttl":"Drop"}}
        {"Rename":{"from":"users:1","to":"item-4"}}
        {"Expire":{"key":"item-4","ttl":{"form":"AtMillis","step":0},"only":"Always"}}
        "Pass"
        {"Create":{"name":"goods","seed":4330640428295916675}}
        {"Select":1}
        {"Move":{"key":"item-0","db":0}}
        "#,
    ),
    (
        "a removal that a command had made was taken for that of what had lapsed later under the same key",
        r#"
        {"Create":{"name":"users","seed":13786246092928616764}}
        {"Set":{"key":"users:2","json":"{\"mark\":7}","when":"Always","ttl":"Drop","filter":0}}
        {"Del":{"keys":["users:2","notes:0"]}}
        {"SwapDb":[0,2]}
        {"Select":2}
        {"Set":{"key":"users:3","json":"{\"mark\":0}","when":"Always","ttl":"Drop","filter":0}}
        {"Set":{"key":"notes:5","json":"{\"n\":false}","when":"Always","ttl":"Drop","filter":0}}
        {"Copy":{"from":"notes:5","to":"users:2","db":2,"replace":false}}
        {"Expire":{"key":"users:2","ttl":{"form":"AtMillis","step":0},"only":"Always"}}
        "Pass"
        {"SwapDb":[2,0]}
        {"Select":0}
        {"Restore":{"from":"users:3","to":"users:2","ttl":null,"replace":true}}
        "#,
    ),
];
