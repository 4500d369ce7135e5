// Answers CloudFormation for a custom resource, as the module of this name does on AWS.
exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

exports.send = function (event, context, responseStatus, responseData, physicalResourceId, noEcho) {
  return new Promise((resolve) => {
    const done = () => {
      if (context.done) context.done();
      resolve();
    };
    const body = JSON.stringify({
      Status: responseStatus,
      Reason: "See the details in CloudWatch Log Stream: " + context.logStreamName,
      PhysicalResourceId: physicalResourceId || context.logStreamName,
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      NoEcho: noEcho || false,
      Data: responseData,
    });
    const url = new URL(event.ResponseURL);
    const web = require(url.protocol === "http:" ? "http" : "https");
    const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
    const request = web.request(url, { method: "PUT", headers }, (answer) => {
      console.log("Status code: " + answer.statusCode);
      answer.resume();
      answer.on("end", done);
    });
    request.on("error", (problem) => {
      console.log("send(..) failed executing https.request(..): " + problem);
      done();
    });
    request.end(body);
  });
};
